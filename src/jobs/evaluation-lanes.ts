import { availableParallelism } from 'node:os';
import { type Lane, type LaneResult, type LaneTask, openLane } from './evaluation-lane.ts';
import { runLaneInThread } from './lane-thread.ts';
import { modelSizeBytes } from './model-size.ts';

/** Below this a thread takes longer to start than it saves. */
const MIN_SAMPLES_A_LANE = 48;

/** Every lane loads the models anew. */
const MAX_LANE_BYTES = 2 ** 30;

export interface Lanes extends Omit<Lane, 'results'> {
  readonly count: number;
  /** In the order of the samples. */
  results(): AsyncIterable<LaneResult>;
}

/**
 * Shares samples out among as many lanes as there are cores: each prepares its samples and runs the models on them with
 * one thread, so that all cores are busy and no result depends on their number. One lane where states are carried, where
 * there are few samples or the models are large; it runs in this thread, as does the first of many.
 * @param entry the compiled `lane-main.js`; without it there is one lane
 */
export async function openLanes(
  task: Omit<LaneTask, 'lane' | 'lanes'>,
  entry: URL | undefined,
): Promise<Lanes> {
  const wanted = entry === undefined || isSequential(task) ? 1 : await affordableLanes(task);
  const alone = { ...task, lane: 0, lanes: 1 };
  if (wanted === 1 || entry === undefined) return { ...(await openLane(alone)), count: 1 };
  const shared = { ...alone, threads: 1 };
  const first = await openLane(shared);
  const count = Math.max(1, Math.min(wanted, Math.floor(first.source.count / MIN_SAMPLES_A_LANE)));
  if (count === 1) {
    if (task.threads === 1) return { ...first, count };
    // Few samples: the cores are then to work inside of the operators, for which the models are loaded anew.
    await first.close();
    return { ...(await openLane(alone)), count };
  }
  return {
    ...first,
    count,
    results: () => {
      const others = Array.from({ length: count - 1 }, (_, index) =>
        runLaneInThread(entry, { ...shared, lane: index + 1, lanes: count }),
      );
      return takeTurns([first.results({ lane: 0, lanes: count }), ...others]);
    },
  };
}

/** Each sample needs the states that the one before it left. */
function isSequential({ states = [] }: Pick<LaneTask, 'states'>): boolean {
  return states.length > 0;
}

async function affordableLanes(task: Pick<LaneTask, 'referencePath' | 'candidatePaths'>): Promise<number> {
  let sizeBytes = 0;
  for (const path of [task.referencePath, ...task.candidatePaths]) {
    sizeBytes += await modelSizeBytes(path).catch(() => 0);
  }
  const affordable = Math.max(1, Math.floor(MAX_LANE_BYTES / Math.max(1, sizeBytes)));
  return Math.min(availableParallelism(), affordable);
}

/** Takes one result of each lane by turns, which is the order of the samples, until all are at their end. */
async function* takeTurns(lanes: readonly AsyncIterable<LaneResult>[]): AsyncGenerator<LaneResult> {
  const iterators = lanes.map((lane) => lane[Symbol.asyncIterator]());
  // The threads load their models all at once, while the first lane, which is in this thread, works.
  const started = iterators.map((iterator, lane) => (lane === 0 ? undefined : iterator.next()));
  // What one of them throws is thrown when its turn comes.
  for (const first of started) first?.catch(() => {});
  try {
    for (let turn = 0; ; turn += 1) {
      const lane = turn % iterators.length;
      const next = await (started[lane] ?? (iterators[lane] as AsyncIterator<LaneResult>).next());
      started[lane] = undefined;
      // Lanes differ by one sample at most, so after the first that is at its end no other has any left.
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    for (const iterator of iterators) await iterator.return?.();
  }
}
