import { evenPositions } from '../../core/even-positions.ts';
import { ProblemError, problem } from '../../core/problem.ts';
import type { Sample, SampleSource } from '../../data/sample-source.ts';
import { splitSamples } from '../../quantization/tuning/split-samples.ts';
import { openModel } from '../open-model.ts';
import { openTaskData, type TaskData } from '../task-data.ts';
import { digestFeeds } from '../tuning-samples.ts';

/** Divide a split of a model's data in two by what its samples hold. */
export interface DivideSamplesTask {
  readonly kind: 'divide-samples';
  readonly modelPath: string;
  readonly data: TaskData;
  /** At most so many samples; all when absent. */
  readonly samples?: number;
}

/** Places in the split, whatever the limit on samples. No sample of one part equals one of the other. */
export interface DividedSamples {
  /** What candidates are made from: ranges, and what tuning learns from and judges itself by. */
  readonly make: readonly number[];
  /** What candidates are chosen by, and nothing is made from. */
  readonly choose: readonly number[];
  /** Whether those that choose have labels. */
  readonly isLabelled: boolean;
}

/** With fewer a choice says little; what more of them would tell is not worth the time of every candidate. */
const CHOOSING_PART = { share: 1 / 3, most: 512 };

/**
 * Keeps a third of the samples, at most 512, apart from all that candidates are made from: those with the smallest SHA-256, as
 * tuning does with those that it judges by. Runs in a worker process. Throws `ProblemError`: `too-few-samples`, and what
 * opening and reading model and data reports.
 */
export async function divideForSearch({
  modelPath,
  data,
  samples,
}: DivideSamplesTask): Promise<DividedSamples> {
  const session = await openModel(modelPath, 1);
  const { inputs, outputs } = session;
  await session.close();
  const source = await openTaskData(data, { inputs, outputs }, { withTruth: true });
  try {
    const indexes: number[] = [];
    const digests: string[] = [];
    const labelled = new Set<number>();
    for await (const { index, feeds, truth } of chosenSamples(source, samples)) {
      indexes.push(index);
      digests.push(digestFeeds(feeds));
      if (truth !== undefined) labelled.add(index);
    }
    const { learn, judge } = splitSamples(digests, CHOOSING_PART);
    // What makes a candidate is divided once more where it is tuned.
    if (judge.length === 0 || new Set(learn.map((at) => digests[at])).size < 2) throw tooFew(source.path);
    const places = (of: readonly number[]) => of.map((at) => indexes[at] as number);
    const choose = places(judge);
    return { make: places(learn), choose, isLabelled: choose.every((index) => labelled.has(index)) };
  } finally {
    await source.close();
  }
}

/** Spread over the split, which is often sorted by class. */
async function* chosenSamples(
  source: SampleSource,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<Sample> {
  const wanted = new Set(evenPositions(source.count, limit));
  for await (const sample of source.samples()) if (wanted.has(sample.index)) yield sample;
}

function tooFew(file: string): ProblemError {
  return new ProblemError(
    problem('too-few-samples', 'a search needs at least three samples that differ', {
      place: { file },
      hint: 'name more calibration samples: a third of them chooses, the others make candidates',
    }),
  );
}
