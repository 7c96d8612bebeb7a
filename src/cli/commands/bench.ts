import { basename } from 'node:path';
import { Command } from 'commander';
import type { BenchRun } from '../../benchmark/controller.ts';
import { BUNDLED_SUITES, loadSuite } from '../../config/load-suite.ts';
import type { Suite } from '../../config/suite.ts';
import { systemClock } from '../../core/clock.ts';
import { attemptAsync, type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import {
  benchMeasurement,
  checkSuiteData,
  type ReadySuite,
  readySuite,
  type SuiteRun,
} from '../../jobs/bench-suite.ts';
import { usableCpus } from '../../jobs/cpu-affinity.ts';
import { digestSubjects } from '../../jobs/digest-subjects.ts';
import { readHostFingerprint } from '../../jobs/host-fingerprint.ts';
import { readInventory } from '../../jobs/read-inventory.ts';
import type { WorkerHost } from '../../jobs/worker-process.ts';
import {
  type BenchFileOptions,
  discardBenchFiles,
  prepareBenchFiles,
  writeBenchFiles,
} from '../bench-files.ts';
import { addBenchOptions, type BenchOptions } from '../bench-options.ts';
import { renderBench } from '../bench-report.ts';
import { measuringDeps, namedModels } from '../bench-request.ts';
import { sampledAsWished } from '../bench-sampling.ts';
import { renderSummaries } from '../bench-summary.ts';
import { type BenchTrace, beginBenchTrace, withTracePath } from '../bench-trace.ts';
import { type SamplerWhenNeeded, samplerWhenNeeded } from '../command-trace.ts';
import { DATA_HELP, type DataChoice, resolveData } from '../data-option.ts';
import { WORKER_ENTRY } from '../entries.ts';
import { EXIT } from '../exit-code.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import { createProgressView } from '../progress.ts';
import { hereOrThere } from '../remote/here-or-there.ts';
import { addOrderOptions } from '../remote/order-options.ts';
import { addStateOption, type StateOptions, statesOf } from '../state-option.ts';
import { besideSuites, suiteOfOptions } from '../suite-of-options.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';
import {
  addTraceOptions,
  renderTraceHint,
  type TraceOptions,
  type TraceWish,
  traceWish,
} from '../trace-option.ts';

interface Options extends StateOptions, BenchOptions, BenchFileOptions, TraceOptions {
  readonly data?: string;
  readonly split?: string;
  readonly summary: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** The whole of a run, once it is known that it can begin. */
interface Plan {
  readonly models: readonly string[];
  readonly options: Options;
  readonly data: DataChoice | undefined;
  readonly suites: readonly ReadySuite[];
  readonly trace: TraceWish | undefined;
  /** How the processes of the models are started. */
  readonly host: WorkerHost;
  readonly signal: AbortSignal;
}

export function benchCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const command = new Command('bench')
    .description('measure latency, throughput and memory of models in interleaved rounds')
    .argument('<models...>', 'ONNX models; the first is the base of the speed-ups')
    .option('--data <path>', `required unless the suite has its own: ${DATA_HELP}; random makes some up`)
    .option('--split <name>', "the split that feeds the models (default: the profile's, or eval)");
  addTraceOptions(addStateOption(addBenchOptions(command)), 'queries')
    .option('-o, --output <file>', 'write all of the result as JSON, for compare')
    .option('--queries <file>', 'write every query as CSV')
    .option('--record <file>', 'write when the queries of the first model came, as a trace for --replay')
    .option('--summary', 'print a summary of every result after the table', false)
    .option('--json', 'print the result as JSON', false)
    .option('-q, --quiet', 'no progress', false)
    .action(
      hereOrThere('bench', { terminal, exit }, (models: string[], options: Options) =>
        bench(models, options, terminal),
      ),
    );
  return addOrderOptions(command, 'bench');
}

async function bench(models: readonly string[], options: Options, terminal: Terminal): Promise<number> {
  const signal = abortOnInterrupt();
  const plan = await planOf(models, options, signal);
  if (!plan.ok) return printProblems(terminal, plan.error);
  const created = new Date(systemClock.wallMs()).toISOString();
  const digests = await digestsFor(plan.value);
  if (!digests.ok) return printProblems(terminal, [digests.error]);
  const files = await prepareBenchFiles(options);
  if (!files.ok) return printProblems(terminal, [files.error]);
  const sampler = samplerWhenNeeded(terminal);
  const tracing = await beginBenchTrace(plan.value.trace, sampler.get, terminal);
  if (!tracing.ok) {
    await discardBenchFiles(files.value);
    return printProblems(terminal, [tracing.error]);
  }
  try {
    const ran = await attemptAsync(() => runAll(plan.value, { trace: tracing.value, sampler }, terminal));
    if (!ran.ok) return printProblems(terminal, [ran.error]);
    const trace = await tracing.value?.publish(ran.value, signal);
    const runs = withTracePath(ran.value, trace);
    const failures = failuresOf(runs.map(({ run }) => run));
    const measured = runs.some(({ run }) => run.results.some(({ queries }) => queries > 0));
    const problems = [...failures];
    if (measured || failures.length === 0) {
      print(plan.value, runs, terminal);
      if (trace !== undefined && plan.value.trace !== undefined && !options.json)
        terminal.stderr.write(`${renderTraceHint(trace, plan.value.trace.logdir)}\n`);
      const { suites } = plan.value;
      // Only now, as the programs that tell would disturb what is measured.
      const hardware = files.value.output === undefined ? {} : await readInventory(WORKER_ENTRY);
      const host = readHostFingerprint(hardware);
      const subject = { models, suites, digests: digests.value, created, host };
      problems.push(...(await writeBenchFiles(files.value, runs, subject)));
    }
    if (problems.length > 0) return printProblems(terminal, problems);
    const isValid = runs.every(({ run }) => run.results.every(({ valid }) => valid));
    return isValid ? EXIT.done : EXIT.verdictFailed;
  } finally {
    await sampler.stop();
    await tracing.value?.close();
    await discardBenchFiles(files.value);
  }
}

/** Everything that can be wrong is found here, before anything runs. */
async function planOf(
  models: readonly string[],
  options: Options,
  signal: AbortSignal,
): Promise<Result<Plan, readonly Problem[]>> {
  if (options.summary && options.json) {
    const hint = 'leave out --json; it holds all that the summary tells';
    return err([problem('options-conflict', '--summary is text, and --json prints JSON alone', { hint })]);
  }
  const trace = traceWish(options);
  if (!trace.ok) return err([trace.error]);
  const cpus = options.cpus === undefined ? undefined : usableCpus(options.cpus);
  if (cpus?.ok === false) return err([cpus.error]);
  const suites = await suitesOf(options);
  if (!suites.ok) return suites;
  const data =
    options.data === undefined ? undefined : await resolveData(options.data, options.split, 'evaluation');
  if (data?.ok === false) return data;
  const ready: ReadySuite[] = [];
  for (const suite of suites.value) {
    const one = await readySuite(suite, {
      data: data?.value,
      threads: threadsOf(options, cpus?.value.length),
    });
    if (!one.ok) return one;
    const modelPath = models[0] ?? '';
    const checked = await checkSuiteData(one.value, { modelPath, host: { entry: WORKER_ENTRY }, signal });
    if (!checked.ok) return err([checked.error]);
    ready.push(one.value);
  }
  const host = { entry: WORKER_ENTRY, ...(cpus === undefined ? {} : { cpus: cpus.value }) };
  return ok({ models, options, data: data?.value, suites: ready, trace: trace.value, host, signal });
}

/** The runtime would take every core of the host, whichever it is kept to. */
function threadsOf({ threads = 1 }: Options, cpuCount: number | undefined): number {
  return threads === 0 ? (cpuCount ?? 0) : threads;
}

async function suitesOf(options: Options): Promise<Result<readonly Suite[], readonly Problem[]>> {
  if (options.suite === undefined) {
    const suite = suiteOfOptions(options);
    if (!suite.ok) return suite;
    if (options.data !== undefined) return ok([suite.value]);
    const hint = 'name data or a profile, or random for inputs that are made up';
    return err([
      problem('data-missing', 'nothing says what the models are fed: --data is missing', { hint }),
    ]);
  }
  const contradictions = besideSuites(options);
  if (contradictions.length > 0) return err(contradictions);
  const suites: Suite[] = [];
  for (const name of options.suite) {
    const suite = await loadSuite(name, { folder: process.cwd(), folders: [BUNDLED_SUITES] });
    if (!suite.ok) return suite;
    if (suites.some((other) => other.name === suite.value.name)) {
      const message = `there are two suites named '${suite.value.name}'`;
      return err([problem('options-conflict', message, { hint: 'name each suite once' })]);
    }
    suites.push(suite.value);
  }
  return ok(suites);
}

/** What the result file names models and data by. */
async function digestsFor({ models, suites, options, signal }: Plan) {
  if (options.output === undefined) return ok(undefined);
  return digestSubjects(
    models.map((path) => ({ variant: path, path })),
    suites.map(({ data }) => data.spec),
    { entry: WORKER_ENTRY },
    signal,
  );
}

async function runAll(
  { models, options, data, suites, host, signal }: Plan,
  { trace, sampler }: { readonly trace: BenchTrace | undefined; readonly sampler: SamplerWhenNeeded },
  terminal: Terminal,
): Promise<readonly SuiteRun[]> {
  const progress = await createProgressView(terminal, options);
  const request = {
    ...namedModels(models),
    ...statesOf(options, data?.profile?.data.states),
    ...(options.maxMemory === undefined ? {} : { maxRssBytes: options.maxMemory }),
    ...(trace === undefined ? {} : { traceFolder: trace.folder }),
  };
  const runs: SuiteRun[] = [];
  for (const suite of suites) {
    for (const measurement of suite.measurements) {
      if (signal.aborted) break;
      const subject = suite.name === '' ? measurement.name : `${suite.name}/${measurement.name}`;
      const deps = {
        ...measuringDeps(terminal, signal),
        ...(trace === undefined ? {} : { tracing: trace.tracing(measurement.sampling !== undefined) }),
        onProgress: ({
          completedTurns,
          totalTurns,
          variant,
        }: {
          completedTurns: number;
          totalTurns: number;
          variant: string;
        }) =>
          progress.update({
            phase: 'bench',
            subject: `${subject} ${basename(variant)}`,
            done: completedTurns,
            total: totalTurns,
            unit: 'turns',
          }),
      };
      runs.push(
        await sampledAsWished(
          measurement,
          { host: trace?.watched(host) ?? host, sampler, terminal },
          (sampled) => benchMeasurement(suite, measurement, request, { ...deps, ...sampled }),
        ),
      );
    }
  }
  progress.stop();
  return runs;
}

function print({ suites, options }: Plan, runs: readonly SuiteRun[], terminal: Terminal): void {
  const isMadeUp = suites.some(({ data }) => data.spec.format === 'random');
  printResult(terminal, toReport(runs, isMadeUp), options.json, () => {
    const table = renderBench(runs, { isMadeUp });
    return options.summary ? `${table}\n\n${renderSummaries(runs)}` : table;
  });
}

/** Why models were not measured to the end; a cancellation, which ends all of them, once. */
function failuresOf(runs: readonly BenchRun[]): readonly Problem[] {
  const failures = runs.flatMap(({ records }) => records.flatMap(({ failure }) => failure ?? []));
  return failures.filter(
    ({ kind }, index) =>
      kind !== 'bench-cancelled' || failures.findIndex((other) => other.kind === kind) === index,
  );
}

/** The results in the order of measurements and models, those after the first with their speed-up over it. */
function toReport(runs: readonly SuiteRun[], isMadeUp: boolean) {
  return runs.flatMap(({ suite, measurement, run: { results, speedUps } }) =>
    results.map((result, index) => ({
      ...result,
      ...(suite === '' ? {} : { suite, measurement: measurement.name }),
      model: result.variant,
      ...(isMadeUp ? { madeUpInputs: true } : {}),
      speedUp: speedUps[index - 1] ?? null,
    })),
  );
}
