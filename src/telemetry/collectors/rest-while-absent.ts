import { type Clock, secondsBetween, systemClock } from '../../core/clock.ts';
import type { Result } from '../../core/result.ts';
import type { CollectProblem, OpenCollector } from './collector.ts';

/** What a host does not have it seldom gets while it runs: a driver that is loaded, a drive that is plugged in. */
const REST_SECONDS = 30;

/**
 * The same collector, but one that found its source `absent` looks for it only every 30 s: to find out that a file is not there
 * costs more than to read one that is. Nothing old is shown by this, as there is no reading.
 */
export function restWhileAbsent<T>(
  collect: OpenCollector<T>,
  clock: Pick<Clock, 'nowNs'> = systemClock,
): OpenCollector<T> {
  let absence: { readonly sinceNs: bigint; readonly outcome: Result<T, CollectProblem> } | undefined;
  const resting: OpenCollector<T> = (host, watchedPids) => {
    if (absence !== undefined) {
      if (secondsBetween(absence.sinceNs, clock.nowNs()) < REST_SECONDS) return absence.outcome;
      absence = undefined;
    }
    const outcome = collect(host, watchedPids);
    if (!outcome.ok && outcome.error.kind === 'absent') absence = { sinceNs: clock.nowNs(), outcome };
    return outcome;
  };
  return collect.close === undefined ? resting : Object.assign(resting, { close: collect.close });
}
