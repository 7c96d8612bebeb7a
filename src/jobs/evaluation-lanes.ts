import { availableParallelism } from 'node:os';
import { type Lane, type LaneResult, type LaneTask, openLane } from './evaluation-lane.ts';
import { type LaneThread, startLane } from './lane-thread.ts';
import { modelSizeBytes } from './model-size.ts';

/** Below this a thread takes longer to start than it saves. */
const MIN_SAMPLES_A_LANE = 48;

/** Where cores are many, the time until all have loaded is a small part of the whole. */
const EARLY_THREADS = 3;

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
export async function openLanes(task: LaneTask, entry: URL | undefined): Promise<Lanes> {
  const { samples = Number.POSITIVE_INFINITY } = task;
  const isShared = entry !== undefined && !isSequential(task) && samples >= 2 * MIN_SAMPLES_A_LANE;
  const wanted = isShared ? await affordableLanes(task) : 1;
  if (wanted === 1 || entry === undefined) return alone(await openLane(task));
  const shared = { ...task, threads: 1, ...sharedTrace(task, wanted) };
  // A thread takes as long as this one to load its models, so the first few start before it is known that they are needed.
  const threads = Array.from({ length: Math.min(wanted - 1, EARLY_THREADS) }, () => startLane(entry, shared));
  const closeFrom = async (position: number): Promise<void> => {
    for (const thread of threads.splice(position)) await thread.close();
  };
  try {
    const first = await openLane(shared);
    const count = Math.max(1, Math.min(wanted, Math.floor(first.source.count / MIN_SAMPLES_A_LANE)));
    await closeFrom(count - 1);
    if (count > 1) return shareOut(first, threads, count, () => startLane(entry, shared));
    if (task.threads === 1) return alone(first);
    // Few samples: the cores are then to work inside of the operators, for which the models are loaded anew.
    await first.close();
    return alone(await openLane(task));
  } catch (error) {
    await closeFrom(0);
    throw error;
  }
}

function alone(lane: Lane): Lanes {
  return { ...lane, count: 1, results: () => lane.results({ lane: 0, lanes: 1 }) };
}

/** The lanes together: the first is in this thread, the others in `threads` and as many more as are missing. */
function shareOut(first: Lane, threads: LaneThread[], lanes: number, start: () => LaneThread): Lanes {
  return {
    ...first,
    count: lanes,
    results: () => {
      while (threads.length < lanes - 1) threads.push(start());
      const others = threads.splice(0).map((thread, index) => thread.results({ lane: index + 1, lanes }));
      return takeTurns([first.results({ lane: 0, lanes }), ...others]);
    },
    close: async () => {
      for (const thread of threads.splice(0)) await thread.close();
      await first.close();
    },
  };
}

/** The samples to trace are shared out too, and each lane takes some. */
function sharedTrace({ trace }: LaneTask, lanes: number): Pick<LaneTask, 'trace'> {
  if (trace === undefined) return {};
  return { trace: { ...trace, samples: Math.ceil(trace.samples / lanes) } };
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
