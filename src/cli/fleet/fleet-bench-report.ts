import type { Run } from '../../client/client.ts';
import { formatSeconds } from '../../core/units.ts';
import type { BenchOutcome } from '../../fleet/bench-fleet.ts';
import { CREDENTIAL_HINT } from '../../fleet/survey.ts';
import { decimal, renderTable } from '../table.ts';

const HEADER = ['host', 'state', 'variant', 'measurement', 'p50', 'samples/s', 'speed-up', ''];

/** What a benchmark found on every host, and what became of it where it found nothing. */
export function renderFleetBench(outcomes: readonly BenchOutcome[]): string {
  return renderTable(HEADER, outcomes.flatMap(toRows));
}

function toRows(outcome: BenchOutcome): readonly string[][] {
  const { agent } = outcome;
  const nothing = (state: string, why: string) => [[agent, state, '–', '–', '–', '–', '–', why]];
  if (outcome.outcome === 'without-model') return nothing('skipped', 'it has no such model');
  if (outcome.outcome === 'failed') {
    const { kind, message, hint } = outcome.problem;
    if (kind === 'daemon-unreachable') return nothing('unreachable', message);
    return nothing(
      'failed',
      kind === 'unauthorized' ? `${message}; ${CREDENTIAL_HINT}` : withHint(message, hint),
    );
  }
  return outcome.runs.flatMap((run) => rowsOfRun(agent, run));
}

function rowsOfRun(agent: string, { state, result, problem }: Run): readonly string[][] {
  if (result === undefined) return [[agent, state, '–', '–', '–', '–', '–', problem?.message ?? '']];
  return result.variants.flatMap(({ variant, bench, speedUps }) =>
    bench.map(({ measurement, scenario, latencySeconds, throughput, valid, invalidReasons }, at) => [
      agent,
      state,
      variant,
      measurement ?? scenario,
      latencySeconds?.p50 === undefined || latencySeconds.p50 === null
        ? '–'
        : formatSeconds(latencySeconds.p50),
      decimal(throughput, 1),
      speedUps[at]?.ratio === undefined || speedUps[at].ratio === null
        ? '–'
        : `${speedUps[at].ratio.toFixed(2)}x`,
      valid ? '' : `not valid: ${invalidReasons[0] ?? ''}`,
    ]),
  );
}

function withHint(message: string, hint: string | undefined): string {
  return hint === undefined ? message : `${message}; ${hint}`;
}

/** Whether a host that has the model gave no valid figures. */
export function hasFailedToBench(outcome: BenchOutcome): boolean {
  if (outcome.outcome !== 'ended') return outcome.outcome === 'failed';
  return outcome.runs.some(
    ({ state, result }) =>
      state !== 'succeeded' ||
      result?.variants.every(({ bench }) => bench.every(({ valid }) => valid)) !== true,
  );
}
