import Type from 'typebox';

/** What the daemon does about what it watches from run to run. */
export interface WatchSettings {
  /** Whether it measures anew, by itself, what it suspects. */
  readonly confirm: boolean;
  /** Of each measurement. */
  readonly confirmationsPerDay: number;
}

export const WATCH_DEFAULTS: WatchSettings = { confirm: true, confirmationsPerDay: 4 };

export const WatchSettingsSchema = Type.Object(
  {
    confirm: Type.Optional(
      Type.Boolean({
        description: 'whether a latency that is suspected is measured anew at once; true unless given',
      }),
    ),
    confirmationsPerDay: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100,
        description: 'how often at most within 24 hours, each measurement; 4 unless given',
      }),
    ),
  },
  { additionalProperties: false, description: 'what to do about what is watched from run to run' },
);
