import { Cron } from 'croner';
import { parseDurationSeconds } from './duration.ts';
import type { ProfileSource } from './profile-schema.ts';

/** When a model is worked through again. */
export interface Schedule {
  /** Five fields as cron has them, or six with seconds in front; or a name such as `@daily`. */
  readonly cron?: string;
  /** Of the IANA; that of the host where it is absent. */
  readonly timezone?: string;
  /** Each time is put off by less than this, at random, so that a fleet does not start at once. */
  readonly jitterSeconds: number;
  /** Whether a change of the model, its data, its profile, this program, the runtime or a driver is a reason. */
  readonly onChange: boolean;
}

export function resolveSchedule(source: ProfileSource['schedule']): Schedule {
  const { cron, timezone, jitter, onChange = true } = source ?? {};
  return {
    ...(cron === undefined ? {} : { cron }),
    ...(timezone === undefined ? {} : { timezone }),
    jitterSeconds: parseDurationSeconds(jitter ?? '') ?? 0,
    onChange,
  };
}

/** What is wrong with a time table, in words; undefined where nothing is. */
export function scheduleMistake({ cron, timezone }: Pick<Schedule, 'cron' | 'timezone'>): string | undefined {
  if (cron === undefined) return undefined;
  try {
    const next = nextTime({ cron, ...(timezone === undefined ? {} : { timezone }) }, new Date());
    return next === undefined ? `"${cron}" never comes` : undefined;
  } catch (error) {
    return `"${cron}"${timezone === undefined ? '' : ` in "${timezone}"`} is no time table: ${(error as Error).message}`;
  }
}

/** The first time after `after`; undefined where there is none, or no time table. */
export function nextTime(
  { cron, timezone }: Pick<Schedule, 'cron' | 'timezone'>,
  after: Date,
): Date | undefined {
  if (cron === undefined) return undefined;
  const table = new Cron(cron, { paused: true, ...(timezone === undefined ? {} : { timezone }) });
  return table.nextRun(after) ?? undefined;
}

const GAPS_LOOKED_AT = 10;

/**
 * Seconds between two times of the table, the longest of the next ten gaps: a table of weekdays has a weekend in it.
 * Undefined where there is no table, or it does not come twice.
 */
export function longestGapSeconds(
  schedule: Pick<Schedule, 'cron' | 'timezone'>,
  after: Date,
): number | undefined {
  let longestMs = 0;
  let before = nextTime(schedule, after);
  for (let gap = 0; gap < GAPS_LOOKED_AT && before !== undefined; gap++) {
    const next = nextTime(schedule, before);
    if (next !== undefined) longestMs = Math.max(longestMs, next.getTime() - before.getTime());
    before = next;
  }
  return longestMs === 0 ? undefined : longestMs / 1e3;
}
