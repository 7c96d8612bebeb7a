import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeModel, readModel } from '../../src/onnx/model-file.ts';
import { DIGITS_MODEL } from './program.ts';
import { type Skew, skewedModel } from './skewed-model.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { unwrap } from './unwrap.ts';

/** Writes the bundled model with channels of other magnitudes. It computes the same, and plain quantization loses it. */
export async function skewedDigits(skew: Skew): Promise<string> {
  const path = join(temporaryFolder(), 'skewed.onnx');
  writeFileSync(path, unwrap(encodeModel(await skewedModel(unwrap(readModel(DIGITS_MODEL)), skew))));
  return path;
}

/** Scales between 1 and a thousand that follow no pattern; the same for the same tensor and channel. */
export const upToThousand: Skew = (tensor, channel) => {
  const seed = [...tensor].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9973, 7);
  return 1000 ** (Math.abs(Math.sin(seed * 12.9898 + channel * 78.233) * 43758.5453) % 1);
};
