import { ProblemError } from '../core/problem.ts';
import type { Sample, SampleSource } from '../data/sample-source.ts';

/**
 * The samples at some positions, in that order; no others are read. The next one is read while one is worked on. Throws
 * `ProblemError`: what is wrong with a sample, unless the source skips bad ones.
 */
export async function* readChosen(
  { read, skipsBadSamples }: Pick<SampleSource, 'read' | 'skipsBadSamples'>,
  positions: readonly number[],
): AsyncGenerator<Sample> {
  const start = (at: number) => {
    const position = positions[at];
    const reading = position === undefined ? undefined : read(position);
    // A failure is met when its turn comes; until then nobody waits for it.
    reading?.catch(() => {});
    return reading;
  };
  let next = start(0);
  for (let at = 0; next !== undefined; at++) {
    const sample = await next;
    next = start(at + 1);
    if (sample.ok) yield sample.value;
    else if (!skipsBadSamples) throw new ProblemError(sample.error);
  }
}
