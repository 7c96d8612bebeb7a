import Type from 'typebox';
import { DURATION_PATTERN, parseDurationSeconds } from './duration.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** What the daemon logs. */
export interface LogSettings {
  readonly level: LogLevel;
  /** Whether every request is told at `info`; at `debug` it always is. */
  readonly requests: boolean;
}

/** How the daemon behaves towards whoever runs the host. */
export interface ServiceSettings {
  readonly log: LogSettings;
  /** How long a run that is under way may go on once the daemon was asked to stop. */
  readonly stopGraceMs: number;
}

const DEFAULT_GRACE = '10s';
const MOST_GRACE_SECONDS = 24 * 3600;

/** The settings of this file, as properties of the whole. */
export const SERVICE_PROPERTIES = {
  log: Type.Optional(
    Type.Object(
      {
        level: Type.Optional(
          Type.Enum([...LOG_LEVELS], { description: 'the least that is logged; info unless given' }),
        ),
        requests: Type.Optional(
          Type.Boolean({ description: 'whether every request is logged, too; at debug it always is' }),
        ),
      },
      { additionalProperties: false },
    ),
  ),
  stop: Type.Optional(
    Type.Object(
      {
        grace: Type.Optional(
          Type.String({
            pattern: DURATION_PATTERN,
            description: 'how long a run may go on once the daemon is to stop: 0s to 24h; 10s unless given',
          }),
        ),
      },
      { additionalProperties: false },
    ),
  ),
};

const SourceSchema = Type.Object(SERVICE_PROPERTIES);

/** Fills in the defaults. Undefined where the time to stop is out of range. */
export function serviceSettings(
  { log, stop }: Type.Static<typeof SourceSchema>,
  level: LogLevel | undefined,
): ServiceSettings | undefined {
  const graceSeconds = parseDurationSeconds(stop?.grace ?? DEFAULT_GRACE) ?? Number.NaN;
  if (!(graceSeconds <= MOST_GRACE_SECONDS)) return undefined;
  return {
    log: { level: level ?? log?.level ?? 'info', requests: log?.requests ?? false },
    stopGraceMs: graceSeconds * 1e3,
  };
}
