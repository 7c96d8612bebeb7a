import { dirname, join, resolve } from 'node:path';
import Type from 'typebox';
import { type Problem, type ProblemPlace, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { DURATION_PATTERN, parseDurationSeconds } from './duration.ts';
import { type ListenAddress, type ListenProblemKind, parseListenAddress } from './listen-address.ts';
import { type ProfilerProblemKind, type ProfilerSettings, profilerSettings } from './profiler-settings.ts';
import { readSettingsFile } from './read-settings-file.ts';
import type { SchemaProblemKind } from './schema-problems.ts';
import {
  type LogLevel,
  SERVICE_PROPERTIES,
  type ServiceSettings,
  serviceSettings,
} from './service-settings.ts';
import { StorageSchema, type StorageSettings, storageSettings } from './storage-settings.ts';
import { type WatchSettings, WatchSettingsSchema, watchSettings } from './watch-settings.ts';
import { type WorkerSettings, WorkersSchema, workerSettings } from './worker-settings.ts';
import type { YamlDocument, YamlProblemKind } from './yaml-document.ts';

/** What the daemon needs to know to start. Paths are absolute. Whoever may read is shown all of it: secrets lie in files of their own. */
export interface AgentSettings extends ServiceSettings {
  readonly listen: ListenAddress;
  /** Where traces can be captured; undefined where they cannot. */
  readonly profiler?: ProfilerSettings;
  readonly profilesDir: string;
  readonly dataDir: string;
  readonly samplerIntervalMs: number;
  /** See `loadWebConfig`. */
  readonly webConfigFile?: string;
  /** Holds the secret that allows to change something. */
  readonly tokenFile: string;
  readonly traces: TraceSettings;
  /** Folders in which every file has to lie that a profile names. */
  readonly roots: readonly string[];
  readonly workers: WorkerSettings;
  readonly storage: StorageSettings;
  readonly watch: WatchSettings;
}

/** Where the daemon keeps traces, and how many. */
export interface TraceSettings {
  /** The folder that viewers are started on. */
  readonly logdir: string;
  readonly maxCount: number;
  readonly maxBytes: number;
}

/** Settings given on the command line; they win over the file. Paths are relative to the working directory. */
export interface SettingsOverrides {
  /** `HOST:PORT`. */
  readonly listen?: string;
  /** `HOST:PORT`, or `off`. */
  readonly profiler?: string;
  readonly profiles?: string;
  readonly dataDir?: string;
  readonly webConfig?: string;
  readonly tokenFile?: string;
  readonly roots?: readonly string[];
  readonly logLevel?: LogLevel;
}

export type SettingsProblem = Problem<
  YamlProblemKind | SchemaProblemKind | ListenProblemKind | ProfilerProblemKind | 'settings-not-found'
>;

const DEFAULTS = { listen: '127.0.0.1:9477', profiles: 'profiles', dataDir: '.ptq-agent', interval: '250ms' };
const TRACE_LIMITS = { maxCount: 50, maxBytes: 5 * 2 ** 30 };
const MIN_INTERVAL_SECONDS = 0.05;
const MAX_INTERVAL_SECONDS = 60;

const SettingsSchema = Type.Object(
  {
    listen: Type.Optional(
      Type.String({ description: 'HOST:PORT to serve on, such as 127.0.0.1:9477 or [::1]:9477' }),
    ),
    profiler: Type.Optional(
      Type.String({
        description:
          "HOST:PORT where TensorBoard's Capture profile gets traces, or off; 127.0.0.1:6009 unless given",
      }),
    ),
    profiles: Type.Optional(
      Type.String({ minLength: 1, description: 'the folder of profiles, absolute or relative to this file' }),
    ),
    dataDir: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'the folder for results and artifacts, absolute or relative to this file',
      }),
    ),
    webConfig: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'a web configuration of exporter-toolkit, absolute or relative to this file',
      }),
    ),
    tokenFile: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'the file of the access token, absolute or relative to this file',
      }),
    ),
    roots: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description:
          'the folders in which models and data may lie besides that of profiles, absolute or relative to this file',
      }),
    ),
    workers: Type.Optional(WorkersSchema),
    sampler: Type.Optional(
      Type.Object(
        {
          interval: Type.Optional(
            Type.String({
              pattern: DURATION_PATTERN,
              description: 'how often the host is sampled: 50ms to 60s',
            }),
          ),
        },
        { additionalProperties: false },
      ),
    ),
    traces: Type.Optional(
      Type.Object(
        {
          logdir: Type.Optional(
            Type.String({
              minLength: 1,
              description: 'the folder of traces, absolute or relative to this file',
            }),
          ),
          maxCount: Type.Optional(
            Type.Integer({
              minimum: 1,
              description: 'how many traces are kept; the oldest make room for new ones',
            }),
          ),
          maxBytes: Type.Optional(
            Type.Integer({ minimum: 1, description: 'how many bytes traces may take together' }),
          ),
        },
        { additionalProperties: false },
      ),
    ),
    ...SERVICE_PROPERTIES,
    storage: Type.Optional(StorageSchema),
    watch: Type.Optional(WatchSettingsSchema),
  },
  { additionalProperties: false, description: 'settings of ptq-agent serve' },
);

interface Loaded {
  readonly source: SettingsSource;
  readonly document?: YamlDocument;
}

type SettingsSource = Type.Static<typeof SettingsSchema>;

/**
 * The daemon's settings: defaults, over them the YAML file where one is named, over it the command line.
 * All problems are reported at once; those of the file with line, column and field.
 */
export async function loadSettings(
  file: string | undefined,
  overrides: SettingsOverrides = {},
): Promise<Result<AgentSettings, readonly SettingsProblem[]>> {
  const loaded: Result<Loaded, readonly SettingsProblem[]> =
    file === undefined
      ? ok({ source: {} })
      : await readSettingsFile(resolve(file), SettingsSchema, {
          kind: 'settings-not-found',
          what: 'settings file',
          option: '--config',
        });
  if (!loaded.ok) return loaded;
  const { source, document } = loaded.value;
  const problems: SettingsProblem[] = [];
  const placeOf = (field: string): ProblemPlace => document?.placeOf(field, 'value') ?? {};

  const placeOfAddress = (name: 'listen' | 'profiler'): ProblemPlace =>
    overrides[name] === undefined ? placeOf(`/${name}`) : { field: `--${name}` };
  const listen = parseListenAddress(overrides.listen ?? source.listen ?? DEFAULTS.listen);
  if (!listen.ok) {
    problems.push({ ...listen.error, place: placeOfAddress('listen') });
  }
  const profiler = profilerSettings(overrides.profiler ?? source.profiler);
  if (!profiler.ok) {
    problems.push({ ...profiler.error, place: placeOfAddress('profiler') });
  }
  const interval = samplerInterval(source.sampler?.interval);
  if (!interval.ok) problems.push({ ...interval.error, place: placeOf('/sampler/interval') });
  const service = serviceSettings(source, overrides.logLevel);
  if (service === undefined) {
    problems.push(
      problem('invalid-value', `"grace" is "${source.stop?.grace}", but must be 0s to 24h`, {
        place: placeOf('/stop/grace'),
        hint: 'the default is 10s',
      }),
    );
  }
  const watch = watchSettings(source.watch, (path) => resolve(dirname(document?.file ?? ''), path));
  if (!watch.ok) problems.push({ ...watch.error, place: placeOf(watch.error.place?.field ?? '') });
  if (!listen.ok || !profiler.ok || !watch.ok || !interval.ok || service === undefined) return err(problems);

  const fromFile = (path: string | undefined): string | undefined =>
    path === undefined || document === undefined ? undefined : resolve(dirname(document.file), path);
  const profilesDir = resolve(overrides.profiles ?? fromFile(source.profiles) ?? DEFAULTS.profiles);
  const roots = overrides.roots ?? source.roots?.flatMap((path) => fromFile(path) ?? []) ?? [];
  const dataDir = resolve(overrides.dataDir ?? fromFile(source.dataDir) ?? DEFAULTS.dataDir);
  const webConfig = overrides.webConfig ?? fromFile(source.webConfig);
  return ok({
    listen: listen.value,
    ...profiler.value,
    profilesDir,
    dataDir,
    ...(webConfig === undefined ? {} : { webConfigFile: resolve(webConfig) }),
    tokenFile: resolve(overrides.tokenFile ?? fromFile(source.tokenFile) ?? tokenFileOf(dataDir)),
    samplerIntervalMs: interval.value,
    ...service,
    traces: {
      ...TRACE_LIMITS,
      ...source.traces,
      logdir: fromFile(source.traces?.logdir) ?? logdirOf(dataDir),
    },
    // Suites are looked for beside the folder of profiles too.
    roots: [profilesDir, join(dirname(profilesDir), 'suites'), ...roots.map((path) => resolve(path))],
    workers: workerSettings(source.workers),
    storage: storageSettings(source.storage),
    watch: watch.value,
  });
}

/** In milliseconds. */
function samplerInterval(given: string | undefined): Result<number, Problem<'invalid-value'>> {
  const seconds = parseDurationSeconds(given ?? DEFAULTS.interval) ?? 0;
  if (seconds >= MIN_INTERVAL_SECONDS && seconds <= MAX_INTERVAL_SECONDS) return ok(seconds * 1e3);
  const hint = 'the default is 250ms';
  return err(problem('invalid-value', `"interval" is "${given}", but must be 50ms to 60s`, { hint }));
}

/** Where a data directory has its traces unless told otherwise. */
export function logdirOf(dataDir: string): string {
  return join(dataDir, 'traces');
}

/** Where the daemon of a data directory keeps its token unless told otherwise. */
function tokenFileOf(dataDir: string): string {
  return join(dataDir, 'token');
}
