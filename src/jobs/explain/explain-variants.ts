import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { toJson } from '../../core/json.ts';
import type { Store } from '../../store/store.ts';
import type { RunContext } from '../run-context.ts';
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
 * Explains the artifacts of a run, where its profile wants that: once each, as the same artifact costs the same in every run. An
 * explanation is an extra: one that fails is a warning in the log.
 */
export async function explainVariants(
  context: RunContext,
  artifacts: readonly { readonly variant: string; readonly path: string }[],
  controls: WorkerControls,
): Promise<ReadonlyMap<string, VariantSensitivity>> {
  const { profile, deps, runId } = context;
  const found = new Map<string, VariantSensitivity>();
  if (profile.explain === undefined) return found;
  if (profile.data.states !== undefined) {
    deps.logger.warn('a model that carries states cannot be explained yet', { model: profile.name });
    return found;
  }
  for (const { variant, path } of artifacts) {
    const artifact = basename(path, '.onnx');
    const known = knownSensitivity(profile.name, variant, artifact, deps.store);
    if (known !== undefined) {
      found.set(variant, known);
      continue;
    }
    const { samples, timeLimitSeconds, top } = profile.explain;
    const explained = await runExplanation(
      context.host,
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
    );
    if (!explained.ok || explained.value.kind !== 'quantized') {
      if (!explained.ok && explained.error.kind === 'cancelled') break;
      const why = explained.ok ? 'its nodes are those of fp32' : explained.error.message;
      deps.logger.warn(`the variant cannot be explained: ${why}`, { model: profile.name, variant });
      continue;
    }
    const folder = deps.store.runDirectory(runId);
    await mkdir(folder, { recursive: true });
    await writeFile(sensitivityFile(folder, variant), toJson(explained.value));
    found.set(variant, { artifact, run: runId, ...inShort(explained.value) });
  }
  return found;
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
  const { variants } = (result ?? {}) as { readonly variants?: unknown };
  if (!Array.isArray(variants)) return undefined;
  const outcome = (variants as readonly Partial<{ variant: string; sensitivity: VariantSensitivity }>[]).find(
    (of) => of?.variant === variant,
  );
  return typeof outcome?.sensitivity?.run === 'string' ? outcome.sensitivity : undefined;
}
