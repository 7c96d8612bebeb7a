import type { ItemFacts } from '../core/item.ts';
import { type Problem, ProblemError, problem } from '../core/problem.ts';
import type { NamedTensors } from '../core/tensor.ts';
import { type CarriedState, carryStates } from '../data/carried-state.ts';
import type { SampleSource } from '../data/sample-source.ts';
import type { ModelPort, Session } from '../runtime/session.ts';
import { castFeeds } from './cast-feeds.ts';
import { openModel } from './open-model.ts';
import { openTaskData, type TaskData } from './task-data.ts';
import type { FirstRunsTrace } from './traced-session.ts';

/** Samples `lane`, `lane + lanes`, and so on. */
export interface LaneShare {
  readonly lane: number;
  readonly lanes: number;
}

/** The samples, and the models that are run on each of them. Plain data, for it may cross to a thread. */
export interface LaneTask {
  /** Their inputs are what samples are made for, and what the other models must have. */
  readonly referencePath: string;
  readonly candidatePaths: readonly string[];
  /** The reference's outputs are known, so it is not run. */
  readonly skipsReference: boolean;
  readonly data: TaskData;
  readonly samples?: number | undefined;
  readonly states?: readonly CarriedState[] | undefined;
  /** Threads inside an operator; 0 for every core. */
  readonly threads: number;
  readonly trace?: LaneTrace;
}

/** What of each model to trace. */
export interface LaneTrace {
  /** See `makeTraceSpool`. */
  readonly folder: string;
  /** Samples of this lane. */
  readonly samples: number;
  /** What requests are known by: those of the reference, and of each candidate. */
  readonly modelIds: readonly string[];
}

/** What the models gave for one sample, or why the sample is none. */
export type LaneResult =
  | { readonly kind: 'sample'; readonly facts: ItemFacts; readonly outputs: readonly LaneOutputs[] }
  | { readonly kind: 'bad-sample'; readonly index: number; readonly problem: Problem };

/** Of one model, the reference first; undefined where it was not run. */
export type LaneOutputs = { readonly tensors: NamedTensors } | { readonly problem: Problem } | undefined;

export interface Lane {
  readonly source: Pick<SampleSource, 'path' | 'count' | 'unused' | 'isMadeUp' | 'skipsBadSamples'>;
  readonly outputs: readonly ModelPort[];
  results(share: LaneShare): AsyncIterable<LaneResult>;
  close(): Promise<void>;
}

/** Loads the models and opens the data. Throws `ProblemError`: `models-differ`, and what loading and opening find. */
export async function openLane(task: LaneTask): Promise<Lane> {
  const opened: Session[] = [];
  const load = async (path: string, position: number): Promise<Session> => {
    const session = await openModel(path, task.threads, traceOf(task, path, position));
    opened.push(session);
    return session;
  };
  const close = async (): Promise<void> => {
    for (const session of opened) await session.close();
  };
  try {
    const { reference, models } = await loadModels(task, load);
    const source = await openTaskData(task.data, reference, {
      states: task.states,
      limit: task.samples,
      withTruth: true,
    });
    return {
      source,
      outputs: reference.outputs,
      results: (share) => runAll(source, models, share),
      close: async () => {
        await source.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function traceOf({ trace }: LaneTask, modelPath: string, position: number): FirstRunsTrace | undefined {
  const modelId = trace?.modelIds[position];
  if (trace === undefined || modelId === undefined) return undefined;
  const { folder, samples: runs } = trace;
  return { folder, runs, modelId, modelPath, phase: 'evaluate', thread: `evaluate ${modelId}` };
}

/** @param load loads a model: the reference, which has position 0, and the candidates after it */
async function loadModels(
  task: LaneTask,
  load: (path: string, position: number) => Promise<Session>,
): Promise<{ readonly reference: Session; readonly models: readonly (Session | undefined)[] }> {
  const reference = await load(task.referencePath, 0);
  // Each model carries states of its own.
  const carrying = (session: Session): Session => ({
    ...session,
    run: carryStates(session.run, task.states),
  });
  const first = carrying(reference);
  const models: (Session | undefined)[] = [task.skipsReference ? undefined : first];
  for (const [index, path] of task.candidatePaths.entries()) {
    if (path === task.referencePath) {
      models.push(first);
      continue;
    }
    const session = await load(path, index + 1);
    requireSamePorts(task.referencePath, reference, path, session);
    models.push(carrying(session));
  }
  return { reference, models };
}

async function* runAll(
  source: SampleSource,
  models: readonly (Session | undefined)[],
  { lane, lanes }: LaneShare,
): AsyncGenerator<LaneResult> {
  let index = lane;
  for await (const sample of source.results({ start: lane, step: lanes })) {
    if (sample.ok) {
      const { feeds, ...facts } = sample.value;
      const outputs: LaneOutputs[] = [];
      for (const session of models) {
        // A model that is compared with itself is run once.
        const same = models.indexOf(session);
        const known = session === undefined || same >= outputs.length ? undefined : outputs[same];
        outputs.push(known ?? (session && (await runOrProblem(session, feeds))));
      }
      yield { kind: 'sample', facts, outputs };
    } else {
      yield { kind: 'bad-sample', index, problem: sample.error };
    }
    index += lanes;
  }
}

async function runOrProblem(session: Session, feeds: NamedTensors): Promise<LaneOutputs> {
  try {
    return { tensors: await session.run(castFeeds(feeds, session.inputs)) };
  } catch (error) {
    if (error instanceof ProblemError) return { problem: error.problem };
    throw error;
  }
}

/** Two models can only be compared when they take and give tensors of the same names. */
function requireSamePorts(referencePath: string, reference: Session, path: string, candidate: Session): void {
  for (const side of ['inputs', 'outputs'] as const) {
    const wanted = reference[side].map(({ name }) => name);
    const found = candidate[side].map(({ name }) => name);
    const missing = wanted.find((name) => !found.includes(name));
    const surplus = side === 'inputs' ? found.find((name) => !wanted.includes(name)) : undefined;
    const name = missing ?? surplus;
    if (name === undefined) continue;
    throw new ProblemError(
      problem(
        'models-differ',
        missing === undefined
          ? `the model has an input '${name}' that ${referencePath} does not have`
          : `the model has no ${side === 'inputs' ? 'input' : 'output'} '${name}', which ${referencePath} has`,
        {
          place: { file: path, tensor: name },
          hint: 'compare a model with a variant that was made from it',
        },
      ),
    );
  }
  requireSameSizes(referencePath, reference, path, candidate);
}

/** Outputs that are fixed in both models and differ are of different models, such as classifiers of other classes. */
function requireSameSizes(referencePath: string, reference: Session, path: string, candidate: Session): void {
  for (const { name, dims } of candidate.outputs) {
    const wanted = reference.outputs.find((output) => output.name === name)?.dims ?? [];
    const differs =
      wanted.length === dims.length &&
      dims.some(
        (dim, axis) =>
          typeof dim === 'number' &&
          typeof wanted[axis] === 'number' &&
          dim > 0 &&
          Number(wanted[axis]) > 0 &&
          dim !== wanted[axis],
      );
    if (!differs) continue;
    throw new ProblemError(
      problem(
        'models-differ',
        `the model's output '${name}' is [${dims}], that of ${referencePath} is [${wanted}]`,
        {
          place: { file: path, tensor: name },
          hint: 'compare a model with a variant that was made from it',
        },
      ),
    );
  }
}
