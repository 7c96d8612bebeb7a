import type { ComparableResult } from '../benchmark/compare.ts';
import type { Client, ClientResult, Host, Run } from '../client/client.ts';
import { SCENARIOS } from '../core/bench-terms.ts';

/** What a variant did in one measurement of one run. */
export interface Measured extends Omit<ComparableResult, 'variant'> {
  readonly model: string;
  readonly variant: string;
  readonly suite: string;
  readonly measurement: string;
  readonly device: string;
  /** Threads, batch and concurrency, in words: what else has to be alike. */
  readonly settings: string;
  readonly invalidReasons: readonly string[];
  /** Of the variant's files; what another file has is another size. */
  readonly sizeBytes: number;
}

/** A run of a host, and what was measured in it. */
export interface MeasuredRun {
  readonly id: string;
  readonly host: Host['host'];
  readonly results: readonly Measured[];
}

/**
 * The last runs of an agent that measured something and succeeded, the newest first.
 * @param model of this model alone, where it is given
 * @param count so many of each model at most
 */
export async function lastMeasuredRuns(
  client: Client,
  { model, count }: { readonly model?: string; readonly count: number },
): Promise<ClientResult<readonly MeasuredRun[]>> {
  const listed = await client.listRuns({
    ...(model === undefined ? {} : { model }),
    state: 'succeeded',
    limit: '200',
  });
  if (!listed.ok) return listed;
  const taken = new Map<string, number>();
  const runs: MeasuredRun[] = [];
  for (const { id, model: of, kind } of listed.value) {
    const had = taken.get(of) ?? 0;
    if (had >= count || (kind !== 'bench' && kind !== 'pipeline')) continue;
    const run = await client.getRun(id);
    // It may have been removed meanwhile.
    if (!run.ok && run.error.kind === 'unknown-run') continue;
    if (!run.ok) return run;
    const measured = measuredIn(run.value);
    if (measured === undefined) continue;
    taken.set(of, had + 1);
    runs.push(measured);
  }
  return { ok: true, value: runs };
}

/** What a run measured; undefined for nothing. A result that another version wrote may have a shape of its own. */
export function measuredIn({ id, model, result }: Run): MeasuredRun | undefined {
  if (result === undefined || !Array.isArray(result.variants)) return undefined;
  const results = result.variants.flatMap(({ variant, sizeBytes, bench }) =>
    (Array.isArray(bench) ? bench : []).flatMap((one) => {
      const rounds = (one as { readonly rounds?: unknown }).rounds;
      if (!isRounds(rounds) || !(SCENARIOS as readonly string[]).includes(one.scenario)) return [];
      const { suite = '', measurement = one.scenario, device, scenario, valid, invalidReasons } = one;
      const names = { model, variant, suite, measurement, device, scenario };
      return [{ ...names, settings: settingsOf(one), valid, invalidReasons, sizeBytes, rounds }];
    }),
  );
  return results.length === 0 ? undefined : { id, host: result.host, results };
}

function settingsOf(of: object): string {
  const { threads, batch, concurrency } = of as Readonly<Record<string, unknown>>;
  return `${threads === 1 ? '1 thread' : `${threads ?? '?'} threads`}, batch ${batch ?? '?'}, concurrency ${concurrency ?? '?'}`;
}

function isRounds(rounds: unknown): rounds is ComparableResult['rounds'] {
  return (
    Array.isArray(rounds) &&
    rounds.length > 0 &&
    rounds.every(
      (round) => round?.medianSeconds > 0 && round?.throughput > 0 && Number.isInteger(round?.process),
    )
  );
}
