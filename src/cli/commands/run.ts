import { relative } from 'node:path';
import { Command } from 'commander';
import { loadProfile } from '../../config/load-profiles.ts';
import type { Profile } from '../../config/profile.ts';
import { logdirOf } from '../../config/settings.ts';
import { systemClock } from '../../core/clock.ts';
import type { Problem } from '../../core/problem.ts';
import { err, type Result } from '../../core/result.ts';
import type { Sampling } from '../../core/sampling.ts';
import { type PipelineOrder, planOf } from '../../jobs/orders.ts';
import { type PipelineResult, runPipeline } from '../../jobs/pipeline.ts';
import { readInventory } from '../../jobs/read-inventory.ts';
import { WORKER_ENTRY } from '../entries.ts';
import { EXIT } from '../exit-code.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import { terminalLogger } from '../loggers.ts';
import { type AgentData, openAgentData } from '../open-agent-data.ts';
import { samplingRate } from '../option-parsers.ts';
import { createProgressView } from '../progress.ts';
import { hereOrThere } from '../remote/here-or-there.ts';
import { addOrderOptions } from '../remote/order-options.ts';
import { renderRun } from '../run-report.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';
import { addTraceOptions, type TraceOptions, type TraceWish, traceWish } from '../trace-option.ts';
import { hasFailed } from '../verdict-exit.ts';

interface RunOptions extends TraceOptions {
  readonly dataDir: string;
  readonly sampling?: Sampling;
  readonly json: boolean;
  readonly quiet: boolean;
}

const SAMPLER_INTERVAL_MS = 250;

export function runCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const command = new Command('run')
    .description('quantize, evaluate and benchmark one registered model, once, and judge it')
    .argument('<profile>', 'a profile, or a folder with a profile.yaml')
    .option('--data-dir <dir>', 'where results and artifacts are kept', '.ptq-agent')
    .option(
      '--sampling <rate>',
      'how often the host is sampled: off, slow (once a second), or 1hz to 100hz (default: 10hz, or what the profile says)',
      samplingRate,
    )
    .option('--json', 'print the result as JSON', false)
    .option('-q, --quiet', 'no progress', false)
    .action(
      hereOrThere('run', { terminal, exit }, (profile: string, options: RunOptions) =>
        run(profile, options, terminal),
      ),
    );
  return addOrderOptions(
    addTraceOptions(command, 'queries and samples', 'traces in the data directory'),
    'run',
  );
}

async function run(path: string, options: RunOptions, terminal: Terminal): Promise<number> {
  const trace = traceWish(options, logdirOf(options.dataDir));
  if (!trace.ok) return printProblems(terminal, [trace.error]);
  const profile = await loadProfile(path);
  if (!profile.ok) return printProblems(terminal, profile.error);
  const data = openAgentData(options.dataDir, SAMPLER_INTERVAL_MS, terminalLogger(terminal));
  if (!data.ok) return printProblems(terminal, [data.error]);
  try {
    const result = await runOnce(profile.value, data.value, options, trace.value, terminal);
    if (!result.ok) return printProblems(terminal, [result.error]);
    const { dataDir } = options;
    printResult(terminal, result.value, options.json, (value) =>
      renderRun(value, { profile: profile.value, dataDir, here: (file) => relative(process.cwd(), file) }),
    );
    const evaluations = result.value.variants.flatMap(({ evaluation }) => evaluation ?? []);
    return evaluations.some(hasFailed) ? EXIT.verdictFailed : EXIT.done;
  } finally {
    await data.value.close();
  }
}

/** Runs the pipeline as a run of the store, so that a daemon on the same data shows its result. */
async function runOnce(
  profile: Profile,
  { store, sampler }: AgentData,
  options: RunOptions,
  trace: TraceWish | undefined,
  terminal: Terminal,
): Promise<Result<PipelineResult, Problem>> {
  const progress = await createProgressView(terminal, options);
  const signal = abortOnInterrupt();
  const { sampling } = options;
  const order: PipelineOrder = {
    kind: 'pipeline',
    ...(sampling === undefined ? {} : { sampling }),
    ...(trace === undefined ? {} : { trace: { queries: trace.queries } }),
  };
  // The data directory is this process's alone, so what still runs there was left behind by one that died.
  store.interruptRunning();
  const { id } = store.createRun({ kind: 'pipeline', model: profile.name, request: order });
  store.startRun(id);
  const result = await runPipeline(id, profile, planOf(profile, order), {
    store,
    sampler,
    samplerIdleIntervalMs: () => SAMPLER_INTERVAL_MS,
    traces: { logdir: trace?.logdir ?? logdirOf(options.dataDir) },
    workerEntry: WORKER_ENTRY,
    hardware: readInventory(WORKER_ENTRY, { signal }),
    clock: systemClock,
    logger: terminalLogger(terminal),
    signal,
    onProgress: progress.update,
  }).finally(progress.stop);
  if (result.ok) store.finishRun(id, result.value);
  else if (result.error.kind === 'cancelled') store.cancelRun(id);
  else store.failRun(id, result.error);
  return result.ok ? result : err(result.error);
}
