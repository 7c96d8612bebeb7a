import { createHash } from 'node:crypto';
import { evenPositions } from '../core/even-positions.ts';
import { ProblemError, problem } from '../core/problem.ts';
import type { NamedTensors } from '../core/tensor.ts';
import type { Sample, SampleSource, SkippedSample } from '../data/sample-source.ts';
import { type SampleSplit, splitSamples } from '../quantization/tuning/split-samples.ts';
import { readChosen } from './read-chosen.ts';

/** The samples of a calibration, divided into those that are learned from and those that judge what was learned. */
export interface TuningSamples {
  readonly split: SampleSplit;
  learn(limit?: number): AsyncIterable<Sample>;
  /** @param limit the first so many of them */
  judge(limit?: number): AsyncIterable<Sample>;
  readonly skipped: () => readonly SkippedSample[];
}

/** The samples that judge are read again and again, so they are kept as long as they are no larger. */
const MOST_KEPT_BYTES = 64 * 2 ** 20;

/**
 * Reads all samples once and divides them by what they hold. Throws `ProblemError`: `too-few-samples` where there are not
 * two that differ.
 */
export async function divideSamples(source: SampleSource): Promise<TuningSamples> {
  const digests: string[] = [];
  const indexes: number[] = [];
  for await (const { index, feeds } of source.samples()) {
    digests.push(digestFeeds(feeds));
    indexes.push(index);
  }
  const { learn, judge } = splitSamples(digests);
  if (judge.length === 0) throw tooFew(source);
  const positions = (of: readonly number[]) => of.map((at) => indexes[at] as number);
  const split = { learn: positions(learn), judge: positions(judge) };
  const kept = new Map<number, Sample>();
  let keptBytes = 0;
  async function* judging(limit = split.judge.length): AsyncGenerator<Sample> {
    for (const index of split.judge.slice(0, limit)) {
      const before = kept.get(index);
      if (before !== undefined) {
        yield before;
        continue;
      }
      const read = await source.read(index);
      if (!read.ok) throw new ProblemError(read.error);
      const sizeBytes = tensorsSizeBytes(read.value.feeds);
      if (keptBytes + sizeBytes <= MOST_KEPT_BYTES) {
        kept.set(index, read.value);
        keptBytes += sizeBytes;
      }
      yield read.value;
    }
  }
  const learning = (limit = split.learn.length) => {
    // Data sets are often sorted by class.
    const spread = evenPositions(split.learn.length, limit);
    return readChosen(
      source,
      Array.from(spread, (at) => split.learn[at] as number),
    );
  };
  return { split, learn: learning, judge: judging, skipped: source.skipped };
}

/** SHA-256 of what a sample feeds a model, whatever the order of its inputs. */
export function digestFeeds(feeds: NamedTensors): string {
  const hash = createHash('sha256');
  for (const name of Object.keys(feeds).sort()) {
    const { dims, data } = feeds[name] as NamedTensors[string];
    hash.update(JSON.stringify([name, dims]));
    if (ArrayBuffer.isView(data)) hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    else hash.update(JSON.stringify(data));
  }
  return hash.digest('hex');
}

/** What tensors take in memory; strings are left out. */
export function tensorsSizeBytes(tensors: NamedTensors): number {
  return Object.values(tensors).reduce(
    (bytes, { data }) => bytes + (ArrayBuffer.isView(data) ? data.byteLength : 0),
    0,
  );
}

function tooFew({ path }: SampleSource): ProblemError {
  return new ProblemError(
    problem('too-few-samples', 'tuning needs at least two samples that differ', {
      place: { file: path },
      hint: 'name more calibration samples, or leave out --tune',
    }),
  );
}
