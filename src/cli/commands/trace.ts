import { readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { Command, Option } from 'commander';
import { loadProfile } from '../../config/load-profiles.ts';
import type { Profile } from '../../config/profile.ts';
import { logdirOf } from '../../config/settings.ts';
import { DEFAULT_TRACED_QUERIES } from '../../core/bench-terms.ts';
import { systemClock } from '../../core/clock.ts';
import { DEVICES, type Device } from '../../core/device.ts';
import { attemptAsync, type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { benchMeasurement, type ReadySuite, readySuite } from '../../jobs/bench-suite.ts';
import { copyTrace, traceGone } from '../../jobs/copy-trace.ts';
import { findRunFile } from '../../jobs/find-run.ts';
import { runPipeline } from '../../jobs/pipeline.ts';
import { quickSuite, quickTracePlan } from '../../jobs/quick-trace.ts';
import { readInventory } from '../../jobs/read-inventory.ts';
import { traceRecordFile } from '../../jobs/run-files.ts';
import type { RunTraceRecord } from '../../jobs/run-trace.ts';
import { measuringDeps, namedModels } from '../bench-request.ts';
import { beginBenchTrace } from '../bench-trace.ts';
import { samplerWhenNeeded } from '../command-trace.ts';
import { DATA_HELP, resolveData } from '../data-option.ts';
import { WORKER_ENTRY } from '../entries.ts';
import { EXIT } from '../exit-code.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import { terminalLogger } from '../loggers.ts';
import { openAgentData } from '../open-agent-data.ts';
import { list, threadCount, tracedQueries } from '../option-parsers.ts';
import { createProgressView } from '../progress.ts';
import { addStateOption, type StateOptions, statesOf } from '../state-option.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';
import { renderTraceHint } from '../trace-option.ts';
import { renderOperators } from '../trace-report.ts';

interface Options extends StateOptions {
  readonly logdir?: string;
  readonly data?: string;
  readonly split?: string;
  readonly queries: number;
  readonly variants?: readonly string[];
  readonly device?: Device;
  readonly threads?: number;
  readonly dataDir: string;
  readonly json: boolean;
  readonly quiet: boolean;
}

const SAMPLER_INTERVAL_MS = 250;

export function traceCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const command = new Command('trace')
    .description("trace models for TensorFlow's profiler and Perfetto, or find the trace of a run")
    .argument(
      '<subject...>',
      'a profile, with its variants; or ONNX models, with --data; or the id of a run, its beginning, or latest',
    )
    .option(
      '--logdir <dir>',
      'the folder of traces, for TensorBoard; of a run: where to copy its trace (default: traces in the data directory)',
    )
    .option('--data <path>', `of models: ${DATA_HELP}; random makes some up`)
    .option('--split <name>', "the split that feeds the models (default: the profile's, or eval)")
    .option('--queries <n>', 'how many queries of each model', tracedQueries, DEFAULT_TRACED_QUERIES)
    .option('--variants <names>', 'of a profile: which variants beside fp32 (default: all)', list)
    .addOption(new Option('--device <name>', 'where the models compute (default: cpu)').choices(DEVICES))
    .option('--threads <n>', 'threads inside an operator; 0 is every core', threadCount);
  return addStateOption(command)
    .option('--data-dir <dir>', 'where runs and artifacts are kept', '.ptq-agent')
    .option('--json', 'print JSON: where the trace lies, and the time of operators', false)
    .option('-q, --quiet', 'no progress', false)
    .action(async (subjects: string[], options: Options) => exit(await trace(subjects, options, terminal)));
}

async function trace(subjects: readonly string[], options: Options, terminal: Terminal): Promise<number> {
  const signal = abortOnInterrupt();
  const traced = await traceSubject(subjects, options, signal, terminal);
  if (!traced.ok) return printProblems(terminal, traced.error);
  const { record, logdir } = traced.value;
  printResult(terminal, record, options.json, ({ models }) => renderOperators(models));
  const { run, path, perfettoPath, warnings } = record;
  if (run === null || path === null) {
    const hint = warnings.length === 0 ? {} : { hint: warnings.join('; ') };
    return printProblems(terminal, [problem('nothing-traced', 'no trace was made', hint)]);
  }
  if (!options.json) {
    const { bytes } = record;
    const place = { path, bytes, warnings, ...(perfettoPath === null ? {} : { perfettoPath }) };
    terminal.stderr.write(`${renderTraceHint(place, logdir)}\n`);
  }
  return EXIT.done;
}

interface Traced {
  readonly record: RunTraceRecord;
  /** The folder that viewers are started on. */
  readonly logdir: string;
}

async function traceSubject(
  subjects: readonly string[],
  options: Options,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<Result<Traced, readonly Problem[]>> {
  const [subject = ''] = subjects;
  const kind = await kindOf(subject);
  const misplaced = refuse(kind, subjects, options);
  if (misplaced !== undefined) return err([misplaced]);
  switch (kind) {
    case 'models':
      return traceModels(subjects, options, signal, terminal);
    case 'profile': {
      const profile = await loadProfile(subject);
      return profile.ok ? traceProfile(profile.value, options, signal, terminal) : profile;
    }
    case 'run':
      return asProblems(await traceOfRun(subject, options));
  }
}

type Kind = 'models' | 'profile' | 'run';

async function kindOf(subject: string): Promise<Kind> {
  if (['.yaml', '.yml'].includes(extname(subject))) return 'profile';
  if (extname(subject) === '.onnx') return 'models';
  const found = await stat(subject).catch(() => undefined);
  if (found === undefined) return 'run';
  return found.isDirectory() ? 'profile' : 'models';
}

/** What an option cannot mean for the subject. */
function refuse(kind: Kind, subjects: readonly string[], options: Options): Problem | undefined {
  const bad = (message: string, hint: string) => problem('bad-usage', message, { hint });
  if (kind !== 'models' && subjects.length > 1)
    return bad('several subjects are several models', 'name one profile, one run, or ONNX files');
  if (kind === 'models' && options.data === undefined)
    return bad('nothing says what the models are fed', 'name data or a profile with --data, or random');
  if (kind !== 'models' && options.data !== undefined)
    return bad('--data is for models that are named themselves', 'leave it out');
  if (kind !== 'profile' && options.variants !== undefined)
    return bad('--variants is for a profile', 'name the models that you want instead');
  return undefined;
}

async function traceModels(
  models: readonly string[],
  options: Options,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<Result<Traced, readonly Problem[]>> {
  const data = await resolveData(options.data ?? 'random', options.split, 'evaluation');
  if (!data.ok) return data;
  const { spec, split, profile } = data.value;
  const suite = await readySuite(quickSuite(options), { data: { spec, split }, threads: 1 });
  if (!suite.ok) return suite;
  const logdir = options.logdir ?? logdirOf(options.dataDir);
  const sampler = samplerWhenNeeded(terminal);
  const begun = await beginBenchTrace({ logdir, queries: options.queries }, sampler.get, terminal);
  if (!begun.ok) return err([begun.error]);
  const benchTrace = begun.value;
  const progress = await createProgressView(terminal, options);
  const [measurement] = (suite.value as ReadySuite).measurements;
  try {
    if (benchTrace === undefined || measurement === undefined) throw new Error('a trace is wanted');
    const deps = measuringDeps(terminal, signal);
    const request = {
      ...namedModels(models),
      ...statesOf(options, profile?.data.states),
      traceFolder: benchTrace.folder,
    };
    const ran = await attemptAsync(() =>
      benchMeasurement(suite.value, measurement, request, {
        ...deps,
        host: benchTrace.watched(deps.host),
        tracing: benchTrace.tracing(false),
        onProgress: ({ completedTurns, totalTurns, variant }) =>
          progress.update({
            phase: 'bench',
            subject: basename(variant),
            done: completedTurns,
            total: totalTurns,
            unit: 'turns',
          }),
      }),
    );
    progress.stop();
    if (!ran.ok) return err([ran.error]);
    const failures = ran.value.run.records.flatMap(({ failure }) => failure ?? []);
    if (failures.length > 0) return err(failures);
    const made = await benchTrace.publish([ran.value], signal);
    if (made === undefined) return err([problem('nothing-traced', 'no trace was made')]);
    const { run = null, path, perfettoPath = null, bytes, models: traced, warnings } = made;
    return ok({ record: { run, path, perfettoPath, bytes, models: traced, warnings }, logdir });
  } finally {
    progress.stop();
    await sampler.stop();
    await benchTrace?.close();
  }
}

/** As a run of the store, which has the artifacts; a daemon on the same data shows it. */
async function traceProfile(
  profile: Profile,
  options: Options,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<Result<Traced, readonly Problem[]>> {
  const { dataDir, queries, device, threads } = options;
  const logger = terminalLogger(terminal);
  const data = openAgentData(dataDir, SAMPLER_INTERVAL_MS, logger);
  if (!data.ok) return err([data.error]);
  const { store, sampler, close } = data.value;
  const logdir = options.logdir ?? logdirOf(dataDir);
  const variants = options.variants?.filter((name) => name !== 'fp32');
  const plan = quickTracePlan(profile, {
    queries,
    ...(device === undefined ? {} : { device }),
    ...(threads === undefined ? {} : { threads }),
    ...(variants === undefined ? {} : { variants }),
  });
  const progress = await createProgressView(terminal, options);
  try {
    const request = { kind: 'bench', trace: { queries }, ...(variants === undefined ? {} : { variants }) };
    const { id } = store.createRun({ kind: 'bench', model: profile.name, request });
    store.startRun(id);
    const result = await runPipeline(id, profile, plan, {
      store,
      sampler,
      samplerIdleIntervalMs: () => SAMPLER_INTERVAL_MS,
      traces: { logdir },
      workerEntry: WORKER_ENTRY,
      hardware: readInventory(WORKER_ENTRY, { signal }),
      clock: systemClock,
      logger,
      signal,
      onProgress: progress.update,
    }).finally(progress.stop);
    if (result.ok) store.finishRun(id, result.value);
    else if (result.error.kind === 'cancelled') store.cancelRun(id);
    else store.failRun(id, result.error);
    if (!result.ok) return err([result.error]);
    // The plan asks for one.
    return ok({ record: result.value.trace as RunTraceRecord, logdir });
  } finally {
    await close();
  }
}

/** Finds the trace of a run, and copies it where that is asked for. */
async function traceOfRun(name: string, { dataDir, logdir }: Options): Promise<Result<Traced, Problem>> {
  const file = await findRunFile(dataDir, name, {
    fileOf: traceRecordFile,
    what: 'a trace',
    howToMake: 'make one with ptq-agent run --trace',
  });
  if (!file.ok) return file;
  // Written by this program alone.
  const record = JSON.parse(await readFile(file.value, 'utf8')) as RunTraceRecord;
  const { run, path, perfettoPath } = record;
  if (run === null || path === null || perfettoPath === null)
    return err(problem('nothing-traced', 'the run has no trace'));
  const place = { run, path, perfettoPath };
  if (logdir === undefined) {
    const isThere = await stat(path).catch(() => undefined);
    if (isThere === undefined) return err(traceGone(place));
    return ok({ record, logdir: join(path, '../../../..') });
  }
  const copied = await copyTrace(place, logdir);
  return copied.ok ? ok({ record: { ...record, ...copied.value }, logdir }) : copied;
}

function asProblems<T>(result: Result<T, Problem>): Result<T, readonly Problem[]> {
  return result.ok ? result : err([result.error]);
}
