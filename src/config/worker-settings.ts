import Type from 'typebox';

/** Whether workers are confined: as far as the system has the means, only where it has all of them, or not. */
export const CONFINEMENT_MODES = ['auto', 'required', 'off'] as const;

export type ConfinementMode = (typeof CONFINEMENT_MODES)[number];

/** What the processes may do and take that models run in. Where a limit is absent, the default of `WorkerLimits` holds. */
export interface WorkerSettings {
  readonly confinement: ConfinementMode;
  readonly maxMemoryBytes?: number;
  readonly maxOpenFiles?: number;
  readonly maxFileBytes?: number;
  readonly maxCpuSeconds?: number;
  readonly maxSeconds?: number;
  readonly niceness?: number;
}

const limit = (description: string, minimum = 1) => Type.Optional(Type.Integer({ minimum, description }));

/** Fewer files or bytes, and no worker could start. */
const MIN_OPEN_FILES = 64;
const MIN_MEMORY_BYTES = 128 * 2 ** 20;
const MAX_NICENESS = 19;

export const WorkersSchema = Type.Object(
  {
    confinement: Type.Optional(
      Type.Union(
        CONFINEMENT_MODES.map((mode) => Type.Literal(mode)),
        { description: 'auto: as far as the system can; required: or not at all; off' },
      ),
    ),
    maxMemoryBytes: limit('what a worker may have resident', MIN_MEMORY_BYTES),
    maxOpenFiles: limit('how many files a worker may have open', MIN_OPEN_FILES),
    maxFileBytes: limit('how large a file may be that a worker writes'),
    maxCpuSeconds: limit('how long the threads of a worker may compute together'),
    maxSeconds: limit('how long a worker may take for a task, benchmarks aside'),
    niceness: Type.Optional(
      Type.Integer({ minimum: 0, maximum: MAX_NICENESS, description: 'how much workers give way to others' }),
    ),
  },
  { additionalProperties: false },
);

export function workerSettings(source: Type.Static<typeof WorkersSchema> = {}): WorkerSettings {
  return { confinement: 'auto', ...source };
}
