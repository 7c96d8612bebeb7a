import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import type { HostFingerprint } from './host-fingerprint.ts';
import { FP32, type PipelineResult } from './pipeline.ts';

/** How a variant fared in a run. */
export interface HistoryPoint {
  readonly run: string;
  readonly finishedMs: number;
  readonly variant: string;
  readonly suite: string;
  readonly measurement: string;
  /** The processor, and GPUs where there are some: figures of others are not comparable. */
  readonly host: string;
  readonly valid: boolean;
  readonly throughput: number | null;
  readonly p50Seconds: number | null;
  /** By what the variant was judged; of fp32 the same figure. Absent where the run evaluated nothing. */
  readonly accuracy?: number;
}

export interface ModelHistory {
  readonly points: readonly HistoryPoint[];
  /** The id of the oldest run of these, where there are runs before it. */
  readonly next?: string;
}

/**
 * The first measurement of every variant in the last runs of a model, the oldest first.
 * @param query how many runs, and before which one
 */
export function modelHistory(
  store: Pick<Store, 'listRuns'>,
  { limit, ...query }: { readonly model: string; readonly limit: number; readonly before?: string },
): ModelHistory {
  const found = store.listRuns({ ...query, state: 'succeeded', limit: limit + 1 });
  const runs = found.slice(0, limit);
  const points = pointsOf(runs);
  const oldest = runs.at(-1);
  return found.length > limit && oldest !== undefined ? { points, next: oldest.id } : { points };
}

function pointsOf(runs: readonly Run[]): readonly HistoryPoint[] {
  return runs.toReversed().flatMap(({ id, finishedMs = 0, result }) => {
    // A result that another version wrote may have a shape of its own.
    const { variants, host } = (result ?? {}) as Partial<PipelineResult>;
    if (!Array.isArray(variants)) return [];
    const accuracies = accuracyByVariant(variants);
    return (variants as PipelineResult['variants']).flatMap(({ variant, bench }) => {
      const first = bench?.[0];
      // What was measured only to compare with has no history of its own.
      if (first === undefined || variant.includes('@')) return [];
      const { suite, measurement, valid, throughput, latencySeconds } = first;
      const accuracy = accuracies.get(variant);
      return [
        {
          run: id,
          finishedMs,
          variant,
          suite,
          measurement,
          host: hostWords(host),
          valid,
          throughput,
          p50Seconds: latencySeconds?.p50 ?? null,
          ...(accuracy === undefined ? {} : { accuracy }),
        },
      ];
    });
  });
}

function accuracyByVariant(variants: PipelineResult['variants']): ReadonlyMap<string, number> {
  const known = new Map<string, number>();
  for (const { variant, evaluation } of variants) {
    const figure = evaluation?.figures?.find(({ name }) => name === evaluation.metric);
    if (typeof figure?.value === 'number') known.set(variant, figure.value);
    if (typeof figure?.reference === 'number') known.set(FP32, figure.reference);
  }
  return known;
}

/** The processor, and GPUs where there are some: what figures are comparable by. */
export function hostWords(host: HostFingerprint | undefined): string {
  if (host === undefined) return '';
  const gpus = (host.hardware?.gpus ?? []).map(({ model }) => model);
  return [`${host.cpuModel} (${host.logicalCpus} CPUs)`, ...gpus].join(', ');
}
