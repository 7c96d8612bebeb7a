import type { Profile } from '../../config/profile.ts';
import type { Store } from '../../store/store.ts';
import type { SeriesChange } from '../../store/watched.ts';
import type { MovedNode, Movement } from '../explain/movement.ts';
import { runExplanation } from '../explain/run-explanation.ts';
import { FP32 } from '../pipeline.ts';
import type { WorkerHost } from '../worker-process.ts';
import type { Cause } from './causes.ts';
import { accuracyMemoryOf } from './watch-memory.ts';
import type { StateDetail } from './watch-result.ts';

export interface ExplainDeps {
  readonly store: Pick<Store, 'findArtifact' | 'holdArtifact'>;
  readonly host: WorkerHost;
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
}

/** Enough to see what moved, of which a person can look at so many. */
const SAMPLES = 16;
const NAMED_NODES = 5;
const TIME_LIMIT_SECONDS = 60;

/**
 * Finds the layers that moved where the accuracy of a quantized variant has just regressed: its artifact against that of the baseline. Undefined
 * where one of them is not there any more, both are the same, or they cannot be compared.
 */
export async function explainRegression(
  change: SeriesChange,
  { data, task }: Profile,
  { store, host, signal, nowMs }: ExplainDeps,
): Promise<SeriesChange | undefined> {
  const { key, state } = change;
  const isNew = change.events.some(({ kind }) => kind === 'state');
  if (key.kind !== 'accuracy' || key.variant === FP32 || state !== 'regressed' || !isNew) return undefined;
  const { baseline, last } = accuracyMemoryOf(change).watch;
  const [before, now] = [baseline?.artifact, last?.artifact];
  if (before == null || now == null || before === now) return undefined;
  const releases = [before, now].map((hash) => store.holdArtifact(hash));
  try {
    const [referencePath, candidatePath] = [store.findArtifact(before)?.path, store.findArtifact(now)?.path];
    if (referencePath === undefined || candidatePath === undefined) return undefined;
    const explained = await runExplanation(
      host,
      {
        ...{ referencePath, candidatePath, samples: SAMPLES, task, taskIsNamed: true, threads: 0 },
        data: { spec: data.set, split: data.evaluation.split },
        timeLimitSeconds: TIME_LIMIT_SECONDS,
      },
      { signal },
    );
    if (!explained.ok || explained.value.kind !== 'moved') return undefined;
    const detail: StateDetail = movedWords(explained.value);
    return {
      ...{ key, state, memory: change.memory, atMs: nowMs() },
      events: [{ kind: 'layers', ...(last === null ? {} : { run: last.run }), detail }],
    };
  } finally {
    for (const release of releases) release();
  }
}

function movedWords({ nodes, onlyBefore, onlyAfter, samples }: Movement): StateDetail {
  const layer = (words: string): Cause => ({ kind: 'layers', words });
  const isSame = nodes.length + onlyBefore.length + onlyAfter.length === 0;
  return {
    reason: `the artifact of the baseline and this one were compared node by node on ${samples} samples${isSame ? ', and no node moved' : ''}`,
    causes: [
      ...nodes.slice(0, NAMED_NODES).map((node) => layer(nodeWords(node))),
      ...namesOf(onlyAfter, 'new').map(layer),
      ...namesOf(onlyBefore, 'gone').map(layer),
    ],
  };
}

function namesOf(nodes: readonly string[], what: 'new' | 'gone'): readonly string[] {
  if (nodes.length === 0) return [];
  const more = nodes.length > NAMED_NODES ? ` and ${nodes.length - NAMED_NODES} more` : '';
  const [verb, noun] = nodes.length === 1 ? ['is', 'the node'] : ['are', 'the nodes'];
  return [`${noun} ${nodes.slice(0, NAMED_NODES).join(', ')}${more} ${verb} ${what}`];
}

function nodeWords({ node, op, sqnrDb, changed }: MovedNode): string {
  const moved = typeof sqnrDb === 'number' ? `, ${sqnrDb.toFixed(1)} dB from what it was` : '';
  return `${op} ${node}${moved}${changed.length === 0 ? '' : `: ${changed.join(', ')}`}`;
}
