import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import Type from 'typebox';
import { Check } from 'typebox/value';
import { DEVICES } from '../core/device.ts';
import { digestText } from '../core/digest.ts';
import { toJson } from '../core/json.ts';
import type { MeasuredPeaks, PeaksTask } from './peaks-task.ts';

const AboveZero = Type.Number({ exclusiveMinimum: 0 });
const AboveZeroOrNull = Type.Union([AboveZero, Type.Null()]);
const TextOrNull = Type.Union([Type.String(), Type.Null()]);

const Level = Type.Object({
  name: Type.String({ minLength: 1 }),
  capacityBytes: AboveZeroOrNull,
  bytesPerSecond: AboveZero,
});

/** What `measurePeaks` found, as it is kept between runs of this program. */
const PeaksFileSchema = Type.Object({
  format: Type.Literal('ptq-agent peaks'),
  /** Goes up with every change of what is probed. */
  version: Type.Literal(1),
  /** Milliseconds since the Unix epoch. */
  measuredAtMs: Type.Number(),
  peaks: Type.Object({
    device: Type.Enum([...DEVICES]),
    threads: Type.Integer({ minimum: 1 }),
    operationsPerSecond: Type.Object({
      float32: AboveZeroOrNull,
      float16: AboveZeroOrNull,
      int8: AboveZeroOrNull,
    }),
    kernels: Type.Object({ float32: TextOrNull, float16: TextOrNull, int8: TextOrNull }),
    levels: Type.Array(Level, { minItems: 1 }),
    doubts: Type.Array(Type.String()),
    notes: Type.Array(Type.String()),
    seconds: Type.Number({ minimum: 0 }),
  }),
});

export interface PeaksFile {
  readonly format: 'ptq-agent peaks';
  readonly version: 1;
  readonly measuredAtMs: number;
  readonly peaks: MeasuredPeaks;
}

/**
 * The file for the peaks of a host in a folder of such. The name is a digest of all that they depend on.
 * @param host whatever tells this host from another, such as its fingerprint
 */
export function peaksPath(
  folder: string,
  { device, threads }: Omit<PeaksTask, 'kind'>,
  host: unknown,
): string {
  const key = digestText(JSON.stringify([device, threads, host])).slice(0, 16);
  return join(folder, `${device}-${threads}-${key}.json`);
}

/** Undefined where there is no such file, or one that cannot be used: peaks are then measured again. */
export async function readPeaks(path: string): Promise<PeaksFile | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (!Check(PeaksFileSchema, value)) return undefined;
    // Data of any size must find its level.
    return value.peaks.levels.at(-1)?.capacityBytes === null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps peaks, whole or not at all. A folder that takes none is no failure: they are measured again the next time. */
export async function keepPeaks(path: string, file: PeaksFile): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, `${toJson(file, 2)}\n`);
    await rename(temporary, path);
  } catch {
    await rm(temporary, { force: true }).catch(() => {});
  }
}
