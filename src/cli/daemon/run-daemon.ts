import { systemClock } from '../../core/clock.ts';
import { formatProblem, type Problem, problem } from '../../core/problem.ts';
import { Agent } from '../../jobs/agent.ts';
import { agentVersion } from '../../jobs/agent-version.ts';
import { assembleTrace } from '../../jobs/capture/assemble-trace.ts';
import { LiveWork } from '../../jobs/capture/live-work.ts';
import { capturesFolderOf, TraceCapture } from '../../jobs/capture/trace-capture.ts';
import { type ConfinedEntry, entryBySettings } from '../../jobs/confinement/confined-entry.ts';
import { logConfinement } from '../../jobs/confinement/log-confinement.ts';
import { readHostFingerprint } from '../../jobs/host-fingerprint.ts';
import { ModelRegistry } from '../../jobs/model-registry.ts';
import { readInventory } from '../../jobs/read-inventory.ts';
import { Reloader } from '../../jobs/reload/reloader.ts';
import { createMetrics } from '../../metrics/metrics.ts';
import { createServer } from '../../server/create-server.ts';
import { startProfiler } from '../../server/profiler/start-profiler.ts';
import { logGpuBackend } from '../../telemetry/log-gpu-backend.ts';
import { Webhook } from '../../webhook/webhook.ts';
import { WORKER_ENTRY } from '../entries.ts';
import { EXIT } from '../exit-code.ts';
import type { JsonLogger } from '../loggers.ts';
import { openAccess } from '../open-access.ts';
import type { AgentData } from '../open-agent-data.ts';
import { printProblems, type Terminal } from '../terminal.ts';
import { alertSender } from './alert-sender.ts';
import { daemonStatus } from './daemon-status.ts';
import { followConfig } from './follow-config.ts';
import { LiveConfig } from './live-config.ts';
import { type ConfigSource, type DaemonConfig, loadWholeConfig } from './load-config.ts';
import type { DaemonSignals } from './signals.ts';
import type { Supervisor } from './supervisor.ts';

export interface DaemonDeps {
  readonly source: ConfigSource;
  readonly config: DaemonConfig;
  /** Of profiles that are left out. */
  readonly profileProblems: readonly Problem[];
  /** How the files of the configuration were before it was read. */
  readonly configStamp: string;
  readonly data: AgentData;
  readonly logger: JsonLogger;
  readonly signals: DaemonSignals;
  readonly supervisor: Supervisor;
  readonly terminal: Terminal;
}

/** How long answers may take to their end once nothing else runs. */
const CLOSE_WITHIN_MS = 5000;
const TELL_STATUS_EVERY_MS = 5000;

/** Serves until it is told to stop. Returns the exit code. */
export async function runDaemon(deps: DaemonDeps): Promise<number> {
  const { config, profileProblems, data, logger, signals, supervisor, terminal } = deps;
  const { settings } = config;
  const opened = openAccess(config.web, settings, logger);
  if (!opened.ok) return printProblems(terminal, [opened.error]);
  const { access, https, follow } = opened.value;
  logger.hide(access().token);
  for (const found of profileProblems)
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
  data.sampler.onSnapshot(logGpuBackend(logger));
  const live = new LiveConfig(config);
  const workerEntry = liveEntry(() => {
    const { workers, roots, dataDir, traces } = live.settings;
    return entryBySettings(WORKER_ENTRY, workers, {
      temporaryFolder: data.store.temporaryFolder,
      capturesFolder: capturesFolderOf(data.store),
      roots: [...roots, dataDir, traces.logdir],
    });
  });
  const shared = {
    models: new ModelRegistry(config.profiles),
    store: data.store,
    sampler: data.sampler,
    samplerIdleIntervalMs: () => live.settings.samplerIntervalMs,
    metrics,
    workerEntry,
    live: new LiveWork(),
    clock: systemClock,
    logger,
  };
  const webhook = new Webhook({
    settings: () => live.settings.watch.webhook,
    logger,
    onOutcome: (outcome) => metrics.countNotification(outcome),
    random: Math.random,
  });
  const agent = new Agent({
    ...shared,
    traces: () => live.settings.traces,
    storage: () => live.settings.storage,
    watch: () => live.settings.watch,
    webhook,
    sender: () => alertSender(live.settings),
    hardware: readInventory(workerEntry, { signal: signals.stop }),
    onFault: () => fault.abort(),
  });
  const reloader = new Reloader<DaemonConfig>(
    {
      load: () => loadWholeConfig(deps.source),
      takeUp: async (next) =>
        live.takeUp(next, { agent, access: opened.value, sampler: data.sampler, logger }),
      clock: systemClock,
      logger,
      metrics,
    },
    profileProblems,
  );
  const server = createServer(
    agent,
    {
      version: agentVersion(),
      metrics,
      reloader,
      logsRequests: () => live.settings.log.requests,
      settings: () => live.settings,
    },
    logger,
    access,
    https,
  );
  const unfollow = follow(server.server);
  try {
    // It writes into what it is given.
    const address = await server.listen({ ...settings.listen });
    logger.info('listening', { address, models: config.profiles.map(({ name }) => name) });
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
  void logConfinement(workerEntry, logger, signals.stop);
  agent.start();
  const status = () => daemonStatus(agent, shared.live);
  const unfollowConfig = followConfig({ ...deps, reloader, live, status });
  supervisor.ready(status());
  supervisor.keepAlive(() => !agent.isStuck());
  const telling = setInterval(() => supervisor.status(status()), TELL_STATUS_EVERY_MS);

  await aborted(AbortSignal.any([signals.stop, fault.signal]));
  logger.info('stopping', { graceMs: live.settings.stopGraceMs });
  clearInterval(telling);
  supervisor.stopping('stopping: a run under way may end');
  await unfollowConfig();
  await capture.stop();
  await profiler.value?.close();
  await agent.stop(live.settings.stopGraceMs);
  webhook.close();
  unfollow();
  // Whoever takes an answer slowly does not keep the daemon from ending.
  const patience = setTimeout(() => server.server.closeAllConnections(), CLOSE_WITHIN_MS);
  await server.close();
  clearTimeout(patience);
  logger.info('stopped');
  return fault.signal.aborted ? EXIT.fault : EXIT.done;
}

/** Workers that start from now on go by the settings of then. */
function liveEntry(current: () => ConfinedEntry): ConfinedEntry {
  return {
    ...current(),
    get mode() {
      return current().mode;
    },
    get limits() {
      return current().limits;
    },
    get roots() {
      return current().roots ?? [];
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
