import { Command, Option } from 'commander';
import { LOG_LEVELS, type LogLevel } from '../../config/service-settings.ts';
import { loadSettings } from '../../config/settings.ts';
import { configStamp } from '../../jobs/reload/watch-config.ts';
import { type ConfigSource, loadFirstConfig, placesOf } from '../daemon/load-config.ts';
import { runDaemon } from '../daemon/run-daemon.ts';
import { type DaemonSignals, daemonSignals } from '../daemon/signals.ts';
import { openSupervisor } from '../daemon/supervisor.ts';
import { jsonLogger } from '../loggers.ts';
import { openAgentData } from '../open-agent-data.ts';
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
  readonly logLevel?: LogLevel;
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
    .addOption(new Option('--log-level <level>', 'what to log (default: info)').choices([...LOG_LEVELS]))
    .addHelpText(
      'after',
      '\nSettings and profiles are taken up again, all of them or nothing, when their files change and at SIGHUP. SIGTERM and' +
        '\nCtrl-C let a run go on for a while (stop.grace in the settings, 10s), a second one ends at once.',
    )
    .action(async (options: ServeOptions) => exit(await serve(options, terminal, daemonSignals())));
}

async function serve(
  { config: file, root: roots, ...others }: ServeOptions,
  terminal: Terminal,
  signals: DaemonSignals,
): Promise<number> {
  const overrides = { ...others, ...(roots === undefined ? {} : { roots }) };
  const source: ConfigSource = { file, overrides };
  const first = await loadSettings(file, overrides);
  if (!first.ok) return printProblems(terminal, first.error);
  // Files that change between this and their being read are read once more, which does no harm.
  const stamp = await configStamp(placesOf(source, first.value));
  const loaded = await loadFirstConfig(source);
  if (!loaded.ok) return printProblems(terminal, loaded.error);
  const { profileProblems, ...config } = loaded.value;
  const { settings } = config;
  const logger = jsonLogger(settings.log.level);
  const supervisor = openSupervisor(process.env, {
    logger,
    pid: process.pid,
    nowNs: () => process.hrtime.bigint(),
  });
  const data = openAgentData(settings.dataDir, settings.samplerIntervalMs, logger);
  if (!data.ok) return printProblems(terminal, [data.error]);
  try {
    return await runDaemon({
      source,
      config,
      profileProblems,
      configStamp: stamp,
      data: data.value,
      logger,
      signals,
      supervisor,
      terminal,
    });
  } finally {
    await data.value.close();
    supervisor.close();
  }
}
