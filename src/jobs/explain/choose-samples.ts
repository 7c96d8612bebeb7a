import { ProblemError } from '../../core/problem.ts';
import type { NamedTensors } from '../../core/tensor.ts';
import type { Sample, SampleSource } from '../../data/sample-source.ts';

/** Samples are read again and again, so they are kept as long as they are no larger. */
const MOST_KEPT_BYTES = 64 * 2 ** 20;

/** Some samples of a source, evenly spread. */
export interface ChosenSamples {
  readonly count: number;
  read(limit?: number): AsyncIterable<Sample>;
}

/** Reads no sample yet. */
export function chooseSamples(source: SampleSource, most: number): ChosenSamples {
  const count = Math.min(most, source.count);
  const kept = new Map<number, Sample>();
  let keptBytes = 0;
  async function* read(limit = count): AsyncGenerator<Sample> {
    for (let i = 0; i < Math.min(limit, count); i++) {
      const position = Math.floor((i * source.count) / count);
      const before = kept.get(position);
      if (before !== undefined) {
        yield before;
        continue;
      }
      const sample = await source.read(position);
      if (!sample.ok) {
        if (source.skipsBadSamples) continue;
        throw new ProblemError(sample.error);
      }
      const sizeBytes = sizeOf(sample.value.feeds);
      if (keptBytes + sizeBytes <= MOST_KEPT_BYTES) {
        kept.set(position, sample.value);
        keptBytes += sizeBytes;
      }
      yield sample.value;
    }
  }
  return { count, read };
}

/** Bytes of the numbers. */
export function sizeOf(tensors: NamedTensors): number {
  return Object.values(tensors).reduce(
    (bytes, { data }) => bytes + (ArrayBuffer.isView(data) ? data.byteLength : 0),
    0,
  );
}
