import { readFileSync } from 'node:fs';
import type { InputSpec, ResizeFilter } from '../../../../src/core/data-spec.ts';
import type { PixelImage } from '../../../../src/data/image/pixel-image.ts';

interface RecordedPixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly base64: string;
}

interface Vectors {
  readonly decode: readonly {
    readonly name: string;
    readonly encoded: string;
    readonly rgb: RecordedPixels;
    readonly gray: RecordedPixels;
  }[];
  readonly masks: readonly {
    readonly name: string;
    readonly encoded: string;
    readonly indices: RecordedPixels;
  }[];
  readonly resizeSources: Readonly<Record<string, RecordedPixels>>;
  readonly resize: readonly {
    readonly source: string;
    readonly filter: ResizeFilter;
    readonly resized: RecordedPixels;
  }[];
  readonly prepare: readonly {
    readonly source: RecordedPixels;
    readonly spec: InputSpec;
    readonly dims: readonly number[];
    readonly float32: string;
  }[];
}

/** What Pillow and NumPy computed; `test/fixtures/image/make.py` writes it. */
export const vectors = JSON.parse(
  readFileSync(new URL('../../../fixtures/image/image.json', import.meta.url), 'utf8'),
) as Vectors;

export function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

export function floatsOf(base64: string): Float32Array {
  return new Float32Array(bytesOf(base64).buffer);
}

export function imageOf({ width, height, channels, base64 }: RecordedPixels): PixelImage {
  return { width, height, channels, data: bytesOf(base64) };
}

/** The encoded picture of a recorded case. */
export function encodedCase(name: string): Uint8Array {
  const found = vectors.decode.find((recorded) => recorded.name === name);
  if (found === undefined) throw new Error(`no picture is recorded as '${name}'`);
  return bytesOf(found.encoded);
}
