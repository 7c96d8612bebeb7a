import { ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { createResampler, type Resampler, type SampleRange } from './resample.ts';
import { openWav, type WavFile } from './wav-file.ts';
import type { WavProblem } from './wav-header.ts';

/** An open recording, mono, at the sample rate that is wanted. */
export interface Recording {
  /** In samples of that rate. */
  readonly length: number;
  /**
   * The samples of a range, with zeros for what lies before the start or behind the end. Only what they depend on is
   * read. Rejects with a `ProblemError` of a `WavProblem`.
   */
  read(range: SampleRange): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Finds the resampler between two rates; undefined where there is none. */
export type FindResampler = (fromHz: number, toHz: number) => Resampler | undefined;

/** Keeps the resampler of the last pair of rates, as all files of a folder mostly share theirs. */
export function reuseResampler(): FindResampler {
  let last:
    | { readonly fromHz: number; readonly toHz: number; readonly resampler: Resampler | undefined }
    | undefined;
  return (fromHz, toHz) => {
    if (last?.fromHz !== fromHz || last.toHz !== toHz) {
      last = { fromHz, toHz, resampler: createResampler(fromHz, toHz) };
    }
    return last.resampler;
  };
}

/** Inputs of this many outputs are held at a time. */
const BLOCK_SAMPLES = 1 << 16;

/**
 * Opens a recording, resampled where its rate is not `sampleRateHz`. Rejects with a `ProblemError` of a `WavProblem`;
 * `wav-unsupported` also where the two rates are so far apart that no filter between them fits into memory.
 */
export async function openRecording(
  path: string,
  sampleRateHz: number | undefined,
  findResampler: FindResampler,
): Promise<Recording> {
  const wav = valueOrThrow(await openWav(path));
  if (sampleRateHz === undefined || sampleRateHz === wav.sampleRateHz) {
    return {
      length: wav.frames,
      read: (range) => readPadded(range, wav.frames, async (part) => readFrames(wav, part)),
      close: wav.close,
    };
  }
  const resampler = findResampler(wav.sampleRateHz, sampleRateHz);
  if (resampler === undefined) {
    await wav.close();
    throw new ProblemError(
      problem('wav-unsupported', `${wav.sampleRateHz} Hz cannot be resampled to ${sampleRateHz} Hz`, {
        place: { file: path },
        hint: 'check the sample rate in the header of the file; rates with a common divisor are easier to convert',
      }),
    );
  }
  const length = resampler.outputLength(wav.frames);
  return {
    length,
    read: (range) => readPadded(range, length, (part) => readResampled(wav, resampler, part)),
    close: wav.close,
  };
}

/** Reads what of a range lies in the recording, block by block, and leaves the rest zero. */
async function readPadded(
  { start, end }: SampleRange,
  length: number,
  readPart: (part: SampleRange) => Promise<Float32Array>,
): Promise<Float32Array> {
  const samples = new Float32Array(end - start);
  const last = Math.min(end, length);
  for (let from = Math.max(start, 0); from < last; from += BLOCK_SAMPLES) {
    const part = { start: from, end: Math.min(from + BLOCK_SAMPLES, last) };
    samples.set(await readPart(part), from - start);
  }
  return samples;
}

async function readResampled(wav: WavFile, resampler: Resampler, output: SampleRange): Promise<Float32Array> {
  const needed = resampler.inputRange(output);
  const start = Math.max(0, needed.start);
  const input = await readFrames(wav, { start, end: Math.min(needed.end, wav.frames) });
  return resampler.resample(input, start, output);
}

async function readFrames(wav: WavFile, { start, end }: SampleRange): Promise<Float32Array> {
  return valueOrThrow(await wav.readFrames(start, Math.max(0, end - start)));
}

function valueOrThrow<T>(result: Result<T, WavProblem>): T {
  if (result.ok) return result.value;
  throw new ProblemError(result.error);
}
