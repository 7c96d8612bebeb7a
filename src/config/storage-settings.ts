import Type from 'typebox';

/** What the daemon keeps in its data directory, and how much room it leaves. Ages are of the last use. */
export interface StorageSettings {
  /** What the data directory may take. */
  readonly maxBytes: number;
  /** What stays free on its disk; 1 GiB where it is absent, or a twentieth of a small disk. */
  readonly minFreeBytes?: number;
  /** Of quantized models that nothing uses any more. */
  readonly artifacts: KindLimits;
  /** Of each kind of what would be computed again: calibrations and outputs of float32 models. */
  readonly caches: KindLimits;
  /** Of outputs that variants are held against. */
  readonly golden: KindLimits;
  /** Of runs that have ended. */
  readonly runs: KindLimits;
  /** Of timelines and what else runs leave in files. */
  readonly runFiles: KindLimits;
}

export interface KindLimits {
  readonly maxAgeMs?: number;
  readonly maxCount?: number;
  readonly maxBytes?: number;
}

const GIB = 2 ** 30;
const DAY_MS = 24 * 3600 * 1000;

export const STORAGE_DEFAULTS: StorageSettings = {
  maxBytes: 100 * GIB,
  artifacts: { maxAgeMs: 30 * DAY_MS },
  caches: { maxAgeMs: 30 * DAY_MS, maxBytes: 10 * GIB },
  golden: { maxAgeMs: 400 * DAY_MS, maxBytes: 5 * GIB },
  runs: { maxAgeMs: 400 * DAY_MS, maxCount: 10_000 },
  runFiles: { maxAgeMs: 90 * DAY_MS, maxBytes: 10 * GIB },
};

const AGE = /^([0-9]+(?:\.[0-9]+)?)(h|d)$/;
const MS_PER_UNIT: Readonly<Record<string, number>> = { h: 3600 * 1000, d: DAY_MS };

const limits = (description: string) =>
  Type.Optional(
    Type.Object(
      {
        maxAge: Type.Optional(
          Type.String({ pattern: AGE.source, description: 'since it was used last, such as 36h or 30d' }),
        ),
        maxCount: Type.Optional(Type.Integer({ minimum: 0, description: 'how many stay' })),
        maxBytes: Type.Optional(Type.Integer({ minimum: 0, description: 'how many bytes stay' })),
      },
      { additionalProperties: false, description },
    ),
  );

export const StorageSchema = Type.Object(
  {
    maxBytes: Type.Optional(
      Type.Integer({ minimum: 1, description: 'what the data directory may take; 100 GiB unless given' }),
    ),
    minFreeBytes: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'what stays free on its disk; 1 GiB or a twentieth of a disk below 20 GiB unless given',
      }),
    ),
    artifacts: limits('quantized models that nothing uses any more; 30d unless given'),
    caches: limits('calibrations and outputs of float32 models, each; 30d and 10 GiB unless given'),
    golden: limits('outputs that variants are held against; 400d and 5 GiB unless given'),
    runs: limits('runs that have ended; 400d and 10000 of each model unless given'),
    runFiles: limits('timelines and other files of runs; 90d and 10 GiB unless given'),
  },
  { additionalProperties: false },
);

const KINDS = ['artifacts', 'caches', 'golden', 'runs', 'runFiles'] as const;

/** The settings, with the default of every figure that is not given. */
export function storageSettings(source: Type.Static<typeof StorageSchema> = {}): StorageSettings {
  const { maxBytes = STORAGE_DEFAULTS.maxBytes, minFreeBytes } = source;
  const kinds = KINDS.map((kind) => {
    const { maxAge, ...given } = source[kind] ?? {};
    const maxAgeMs = maxAge === undefined ? {} : { maxAgeMs: ageMs(maxAge) };
    return [kind, { ...STORAGE_DEFAULTS[kind], ...given, ...maxAgeMs }] as const;
  });
  return {
    maxBytes,
    ...(minFreeBytes === undefined ? {} : { minFreeBytes }),
    ...(Object.fromEntries(kinds) as Record<(typeof KINDS)[number], KindLimits>),
  };
}

/** @param text that the schema has let pass */
function ageMs(text: string): number {
  const [, figure, unit = ''] = AGE.exec(text) ?? [];
  return Number(figure) * (MS_PER_UNIT[unit] ?? 0);
}
