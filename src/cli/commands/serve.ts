import { Command, Option } from 'commander';
import { loadProfiles } from '../../config/load-profiles.ts';
import { type AgentSettings, loadSettings } from '../../config/settings.ts';
import { systemClock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { formatProblem, problem } from '../../core/problem.ts';
import { Agent } from '../../jobs/agent.ts';
import { agentVersion } from '../../jobs/agent-version.ts';
import { assembleTrace } from '../../jobs/capture/assemble-trace.ts';
import { LiveWork } from '../../jobs/capture/live-work.ts';
import { capturesFolderOf, TraceCapture } from '../../jobs/capture/trace-capture.ts';
import { entryBySettings } from '../../jobs/confinement/confined-entry.ts';
import { logConfinement } from '../../jobs/confinement/log-confinement.ts';
import { readHostFingerprint } from '../../jobs/host-fingerprint.ts';
import { ModelRegistry } from '../../jobs/model-registry.ts';
import { readInventory } from '../../jobs/read-inventory.ts';
import { createMetrics } from '../../metrics/metrics.ts';
import { createServer } from '../../server/create-server.ts';
import { startProfiler } from '../../server/profiler/start-profiler.ts';
import { logGpuBackend } from '../../telemetry/log-gpu-backend.ts';
import { WORKER_ENTRY } from '../entries.ts';
import { EXIT } from '../exit-code.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import { jsonLogger } from '../loggers.ts';
import { loadWeb, openAccess, type Web } from '../open-access.ts';
import { type AgentData, openAgentData } from '../open-agent-data.ts';
import { printProblems, type Terminal } from '../terminal.ts';

interface ServeOptions {
  readonly config?: string;
  readonly profiles?: string;
  readonly dataDir?: string;
  readonly listen?: string;
  readonly webConfig?: string;
  readonly tokenFile?: string;
  readonly profiler?: string;
  readonly root?: readonly string[];
  readonly logLevel: string;
}

export function serveCommand(terminal: Terminal, exit: (code: number) => void): Command {
  return new Command('serve')
    .description('run the daemon: work through the registered models, serve metrics and the API')
    .option('--config <file>', 'settings (YAML); options given here win over it')
    .option('--profiles <dir>', 'the folder of profiles (default: profiles)')
    .option(
      '--root <dir...>',
      'folders in which models and data may lie besides that of profiles; they win over "roots" of the settings',
    )
    .option('--data-dir <dir>', 'where results and artifacts are kept (default: .ptq-agent)')
    .option('--listen <host:port>', 'where to serve (default: 127.0.0.1:9477)')
    .option('--web-config <file>', 'TLS, users and limits (YAML, as all exporters of Prometheus read it)')
    .option('--token-file <file>', 'the access token; made where it is missing (default: DATA-DIR/token)')
    .option(
      '--profiler <host:port>',
      "where TensorBoard's Capture profile gets traces, or off (default: 127.0.0.1:6009)",
    )
    .addOption(
      new Option('--log-level <level>', 'what to log')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .action(async (options: ServeOptions) => exit(await serve(options, terminal)));
}

async function serve(options: ServeOptions, terminal: Terminal): Promise<number> {
  const { config, listen, profiler, profiles, root: roots, dataDir, webConfig, tokenFile } = options;
  const signal = abortOnInterrupt();
  const settings = await loadSettings(config, {
    ...(listen === undefined ? {} : { listen }),
    ...(profiler === undefined ? {} : { profiler }),
    ...(profiles === undefined ? {} : { profiles }),
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(webConfig === undefined ? {} : { webConfig }),
    ...(tokenFile === undefined ? {} : { tokenFile }),
    ...(roots === undefined ? {} : { roots }),
  });
  if (!settings.ok) return printProblems(terminal, settings.error);
  const web = await loadWeb(settings.value.webConfigFile);
  if (!web.ok) return printProblems(terminal, web.error);
  const logger = jsonLogger(options.logLevel);
  const data = openAgentData(settings.value.dataDir, settings.value.samplerIntervalMs, logger);
  if (!data.ok) return printProblems(terminal, [data.error]);
  try {
    return await serveUntil(signal, settings.value, web.value, data.value, logger, terminal);
  } finally {
    await data.value.close();
  }
}

async function serveUntil(
  signal: AbortSignal,
  settings: AgentSettings,
  web: Web,
  { store, sampler }: AgentData,
  logger: Logger,
  terminal: Terminal,
): Promise<number> {
  const opened = openAccess(web, settings, logger);
  if (!opened.ok) return printProblems(terminal, [opened.error]);
  const { access, https, follow } = opened.value;
  const loaded = await loadProfiles(settings.profilesDir, settings.roots);
  // A profile that cannot be used keeps no other model from being served.
  for (const found of loaded.problems)
    logger.error(formatProblem(found), { kind: found.kind, ...found.place });
  const host = readHostFingerprint();
  const fault = new AbortController();
  const metrics = createMetrics({
    buildInfo: {
      version: host.agentVersion,
      nodeVersion: host.nodeVersion,
      ortVersion: host.onnxRuntimeVersion,
    },
  });
  sampler.onSnapshot(logGpuBackend(logger));
  const workerEntry = entryBySettings(WORKER_ENTRY, settings.workers, {
    temporaryFolder: store.temporaryFolder,
    capturesFolder: capturesFolderOf(store),
    roots: [...settings.roots, settings.dataDir, settings.traces.logdir],
  });
  const shared = {
    models: new ModelRegistry(loaded.profiles),
    store,
    sampler,
    samplerIdleIntervalMs: settings.samplerIntervalMs,
    traces: settings.traces,
    metrics,
    workerEntry,
    live: new LiveWork(),
    clock: systemClock,
    logger,
  };
  const agent = new Agent({
    ...shared,
    hardware: readInventory(workerEntry, { signal }),
    onFault: () => fault.abort(),
  });
  const server = createServer(agent, { version: agentVersion() }, logger, access, https);
  const unfollow = follow(server.server);
  try {
    const address = await server.listen(settings.listen);
    logger.info('listening', { address, models: loaded.profiles.map(({ name }) => name) });
  } catch (error) {
    const { host: name, port } = settings.listen;
    const reason = error instanceof Error ? error.message : String(error);
    return printProblems(terminal, [
      problem('cannot-listen', `cannot listen on ${name}:${port}: ${reason}`, {
        hint: 'choose another address with --listen HOST:PORT',
      }),
    ]);
  }
  const capture = new TraceCapture({ ...shared, assemble: assembleTrace });
  const profiler = await startProfiler(settings.profiler, capture, logger);
  if (!profiler.ok) {
    unfollow();
    await server.close();
    return printProblems(terminal, [profiler.error]);
  }
  void logConfinement(workerEntry, logger, signal);
  agent.start();
  await aborted(AbortSignal.any([signal, fault.signal]));
  logger.info('stopping');
  await capture.stop();
  await profiler.value?.close();
  await agent.stop();
  unfollow();
  await server.close();
  return fault.signal.aborted ? EXIT.fault : EXIT.done;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
