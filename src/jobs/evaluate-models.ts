import { type Problem, ProblemError, problem } from '../core/problem.ts';
import type { NamedTensors } from '../core/tensor.ts';
import { carryStates } from '../data/carried-state.ts';
import { openSamples } from '../data/open-samples.ts';
import type { SampleSource } from '../data/sample-source.ts';
import { createEvaluator, type Evaluator } from '../evaluation/evaluation.ts';
import { DEFAULT_VERDICT_SETTINGS } from '../evaluation/verdict.ts';
import type { ModelPort, Session } from '../runtime/session.ts';
import { castFeeds } from './cast-feeds.ts';
import type { EvaluateTask, ModelEvaluation } from './evaluate-task.ts';
import { openModel } from './open-model.ts';
import { createPhaseRecorder } from './phase-recorder.ts';
import type { TaskContext } from './task-context.ts';
import { unwrap, unwrapIn } from './unwrap.ts';

interface Candidate {
  readonly variant: string;
  readonly path: string;
  readonly session: Session;
  readonly evaluator: Evaluator;
}

/**
 * Runs the reference and every candidate on the same samples, one sample at a time, so that memory does not grow with
 * their number. Runs in a worker process. Throws `ProblemError` where the models cannot be compared at all; a sample on
 * which a model fails makes that candidate's verdict `invalid`.
 */
export function evaluateModels(task: EvaluateTask, { clock, emit }: TaskContext): Promise<ModelEvaluation[]> {
  const phase = createPhaseRecorder(clock, (span) => emit({ kind: 'phase', span }));
  return phase('evaluate', async () => {
    const reference = await openModel(task.reference.path, task.threads);
    const { split, samples: limit, states } = task;
    const source = unwrap(
      await openSamples(task.dataPath, {
        split,
        modelInputs: reference.inputs,
        modelOutputs: reference.outputs,
        ...(states === undefined ? {} : { states }),
        ...(limit === undefined ? {} : { limit }),
      }),
    );
    try {
      const labels = unwrap(await source.labels());
      const candidates = await openCandidates(task, reference, labels);
      await compare(carried(reference, task), candidates, source, task.dataPath, (done) =>
        emit({
          kind: 'progress',
          progress: { phase: 'evaluate', done, total: source.count, unit: 'samples' },
        }),
      );
      return candidates.map(({ variant, path, evaluator }) => ({
        variant,
        model: path,
        ...evaluator.finish(),
      }));
    } finally {
      await source.close();
    }
  });
}

async function openCandidates(
  task: EvaluateTask,
  reference: Session,
  labels: Int32Array | undefined,
): Promise<readonly Candidate[]> {
  const candidates: Candidate[] = [];
  const { metric, ...budget } = task.budget;
  for (const { variant, path } of task.candidates) {
    const session = await openModel(path, task.threads);
    requireSamePorts(task.reference.path, reference, path, session);
    const evaluator = createEvaluator({
      task: task.task,
      outputs: reference.outputs.filter(isNumeric).map(({ name }) => name),
      labels,
      settings: { ...DEFAULT_VERDICT_SETTINGS, budget, ...(metric === undefined ? {} : { metric }) },
    });
    candidates.push({ variant, path, session: carried(session, task), evaluator });
  }
  return candidates;
}

/** The session, which feeds itself its states. */
function carried(session: Session, { states }: EvaluateTask): Session {
  return { ...session, run: carryStates(session.run, states) };
}

function isNumeric({ type }: ModelPort): boolean {
  return type !== 'string';
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
}

async function compare(
  reference: Session,
  candidates: readonly Candidate[],
  source: SampleSource,
  dataPath: string,
  onSample: (done: number) => void,
): Promise<void> {
  let done = 0;
  for await (const { index, feeds } of source.samples()) {
    const expected = await runOrProblem(reference, feeds);
    for (const { session, evaluator } of candidates) {
      const found = await runOrProblem(session, castFeeds(feeds, session.inputs));
      if ('kind' in expected) evaluator.fail(index, expected);
      else if ('kind' in found) evaluator.fail(index, found);
      else
        unwrapIn(dataPath, evaluator.add({ index, reference: expected.outputs, candidate: found.outputs }));
    }
    done += 1;
    onSample(done);
  }
}

async function runOrProblem(
  session: Session,
  feeds: NamedTensors,
): Promise<{ readonly outputs: NamedTensors } | Problem> {
  try {
    return { outputs: await session.run(feeds) };
  } catch (error) {
    if (error instanceof ProblemError) return error.problem;
    throw error;
  }
}
