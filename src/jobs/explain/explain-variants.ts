import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { toJson } from '../../core/json.ts';
import { type Problem, ProblemError, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Store } from '../../store/store.ts';
import type { PlannedExplanation, RunContext } from '../run-context.ts';
import { sensitivityFile } from '../run-files.ts';
import type { WorkerControls } from '../worker-process.ts';
import type { ExplainedNode, Explanation } from './explanation.ts';
import { runExplanation } from './run-explanation.ts';

/** What is known of the nodes of a variant, in short; the whole of it lies in the folder of the run that found it out. */
export interface VariantSensitivity {
  /** The hash of the artifact that was explained. */
  readonly artifact: string;
  readonly run: string;
  readonly samples: number;
  readonly simulatedSqnrDb: number | null;
  /** The costliest, first. */
  readonly nodes: readonly (Pick<ExplainedNode, 'node' | 'op' | 'reason' | 'advice'> & {
    readonly aloneSqnrDb: number | null;
  })[];
}

const KEPT_NODES = 8;

/**
 * Explains the artifacts of a run, where its plan has that. Besides other work once each, as the same artifact costs the same in every run,
 * and one that fails is a warning in the log. Where it was ordered it is done anew, and where none can be explained why is thrown. Throws
 * `ProblemError`: that, and `cancelled`.
 */
export async function explainVariants(
  context: RunContext,
  artifacts: readonly { readonly variant: string; readonly path: string }[],
  controls: WorkerControls,
): Promise<ReadonlyMap<string, VariantSensitivity>> {
  const {
    profile,
    deps,
    plan: { explain },
  } = context;
  const found = new Map<string, VariantSensitivity>();
  if (explain === undefined) return found;
  // An order of such a model was refused when it came.
  if (profile.data.states !== undefined && !explain.isOrdered) {
    deps.logger.warn('a model that carries states cannot be explained yet', { model: profile.name });
    return found;
  }
  let failure: Problem | undefined;
  for (const { variant, path } of artifacts) {
    const known = explain.isOrdered
      ? undefined
      : knownSensitivity(profile.name, variant, basename(path, '.onnx'), deps.store);
    if (known !== undefined) {
      found.set(variant, known);
      continue;
    }
    const explained = await explainVariant(context, explain, { variant, path }, controls);
    if (explained.ok) {
      found.set(variant, explained.value);
      continue;
    }
    if (explained.error.kind === 'cancelled') throw new ProblemError(explained.error);
    failure ??= explained.error;
    const { message } = explained.error;
    deps.logger.warn(`the variant cannot be explained: ${message}`, { model: profile.name, variant });
  }
  if (explain.isOrdered && found.size === 0 && failure !== undefined) throw new ProblemError(failure);
  return found;
}

/** Writes the whole of it into the run's folder. */
async function explainVariant(
  { profile, deps, runId, host }: RunContext,
  { samples, timeLimitSeconds, top }: PlannedExplanation,
  { variant, path }: { readonly variant: string; readonly path: string },
  controls: WorkerControls,
): Promise<Result<VariantSensitivity, Problem>> {
  const explained = await runExplanation(
    host,
    {
      referencePath: profile.model,
      candidatePath: path,
      data: { spec: profile.data.set, split: profile.data.evaluation.split },
      samples,
      task: profile.task,
      taskIsNamed: true,
      threads: 0,
      timeLimitSeconds,
      ...(top === undefined ? {} : { top }),
    },
    controls,
    deps.store.temporaryFolder,
  );
  if (!explained.ok) return explained;
  if (explained.value.kind !== 'quantized') return err(nothingQuantized(variant));
  const folder = deps.store.runDirectory(runId);
  await mkdir(folder, { recursive: true });
  await writeFile(sensitivityFile(folder, variant), toJson(explained.value));
  return ok({ artifact: basename(path, '.onnx'), run: runId, ...inShort(explained.value) });
}

function nothingQuantized(variant: string): Problem {
  return problem('explain-not-possible', `no node of the variant '${variant}' is quantized`, {
    hint: 'float16 loses next to nothing; order variants of other formats',
  });
}

function inShort({ samples, simulated, nodes }: Explanation): Omit<VariantSensitivity, 'artifact' | 'run'> {
  return {
    samples,
    simulatedSqnrDb: simulated.sqnrDb,
    nodes: nodes.slice(0, KEPT_NODES).map(({ node, op, reason, advice, alone }) => ({
      node,
      op,
      reason,
      advice,
      aloneSqnrDb: alone?.sqnrDb ?? null,
    })),
  };
}

/** Runs that were ordered for it, the newest first: more are not looked through. */
const MOST_ORDERED = 8;

/**
 * What is known of the nodes of a variant: of the artifact that the last full run used, and of several runs that told it the newest.
 * @param ofFullRun the result of the last full run
 */
export function latestSensitivity(
  model: string,
  variants: readonly string[],
  ofFullRun: unknown,
  store: Pick<Store, 'listRuns'>,
): ReadonlyMap<string, VariantSensitivity> {
  const ordered = store.listRuns({ model, kind: 'explain', state: 'succeeded', limit: MOST_ORDERED });
  return new Map(
    variants.flatMap((variant) => {
      const artifact = artifactIn(ofFullRun, variant);
      const [newest] = [ofFullRun, ...ordered.map(({ result }) => result)]
        .flatMap((result) => sensitivityIn(result, variant) ?? [])
        .filter((known) => artifact === undefined || known.artifact === artifact)
        .sort((one, other) => (one.run > other.run ? -1 : 1));
      return newest === undefined ? [] : [[variant, newest] as const];
    }),
  );
}

/** The hash of the artifact that a full run used; undefined where it had no such variant. */
function artifactIn(result: unknown, variant: string): string | undefined {
  const output = outcomeIn(result, variant)?.quantization?.output;
  return typeof output === 'string' ? basename(output, '.onnx') : undefined;
}

/** What the last full run knew of the same artifact, as long as the whole of it is still there. */
function knownSensitivity(
  model: string,
  variant: string,
  artifact: string,
  store: Pick<Store, 'listRuns' | 'runDirectory'>,
): VariantSensitivity | undefined {
  const [last] = store.listRuns({ model, kind: 'pipeline', state: 'succeeded', limit: 1 });
  const known = sensitivityIn(last?.result, variant);
  if (known?.artifact !== artifact) return undefined;
  return existsSync(sensitivityFile(store.runDirectory(known.run), variant)) ? known : undefined;
}

/** What a result of a full run says of a variant. A result that another version wrote may have a shape of its own. */
export function sensitivityIn(result: unknown, variant: string): VariantSensitivity | undefined {
  const sensitivity = outcomeIn(result, variant)?.sensitivity;
  return typeof sensitivity?.run === 'string' ? sensitivity : undefined;
}

type KnownOutcome = Partial<{
  readonly variant: string;
  readonly quantization: { readonly output?: unknown };
  readonly sensitivity: VariantSensitivity;
}>;

function outcomeIn(result: unknown, variant: string): KnownOutcome | undefined {
  const { variants } = (result ?? {}) as { readonly variants?: unknown };
  if (!Array.isArray(variants)) return undefined;
  return (variants as readonly (KnownOutcome | null)[]).find((of) => of?.variant === variant) ?? undefined;
}
