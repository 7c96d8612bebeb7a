import { Command } from 'commander';
import { loadProfiles } from '../../config/load-profiles.ts';
import { type AgentSettings, loadSettings } from '../../config/settings.ts';
import { systemClock } from '../../core/clock.ts';
import type { Problem } from '../../core/problem.ts';
import { ok, type Result } from '../../core/result.ts';
import {
  type CollectionOptions,
  type CollectionReport,
  collectGarbage,
  previewCollection,
} from '../../jobs/storage/collect-garbage.ts';
import { readStore } from '../../store/read-store.ts';
import { openStore } from '../../store/store.ts';
import { EXIT } from '../exit-code.ts';
import { renderCollection } from '../gc-report.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';

interface GcOptions {
  readonly config?: string;
  readonly profiles?: string;
  readonly dataDir?: string;
  readonly dryRun: boolean;
  readonly json: boolean;
}

export function gcCommand(terminal: Terminal, exit: (code: number) => void): Command {
  return new Command('gc')
    .description(
      'remove from the data directory what is beyond the limits of the settings; a daemon does it by itself',
    )
    .option('--config <file>', 'settings of the daemon (YAML), with its limits under "storage"')
    .option('--profiles <dir>', 'the folder of profiles, whose variants stay (default: profiles)')
    .option('--data-dir <dir>', 'where results and artifacts are kept (default: .ptq-agent)')
    .option('--dry-run', 'tell what would be removed, and remove nothing; also while a daemon runs', false)
    .option('--json', 'print the result as JSON', false)
    .action(async (options: GcOptions) => exit(await gc(options, terminal)));
}

async function gc(options: GcOptions, terminal: Terminal): Promise<number> {
  const { config, profiles, dataDir, dryRun, json } = options;
  const settings = await loadSettings(config, {
    ...(profiles === undefined ? {} : { profiles }),
    ...(dataDir === undefined ? {} : { dataDir }),
  });
  if (!settings.ok) return printProblems(terminal, settings.error);
  const loaded = await loadProfiles(settings.value.profilesDir);
  // Without them nobody knows which variants are in use.
  if (loaded.problems.length > 0) return printProblems(terminal, loaded.problems);
  const collection = {
    profiles: loaded.profiles,
    settings: settings.value.storage,
    nowMs: systemClock.wallMs(),
  };
  const report = await (dryRun ? preview : collect)(settings.value, collection);
  if (!report.ok) return printProblems(terminal, [report.error]);
  printResult(terminal, { dryRun, ...report.value }, json, (value) => renderCollection(value));
  return report.value.failures.length > 0 ? EXIT.fault : EXIT.done;
}

async function preview(
  { dataDir }: AgentSettings,
  options: CollectionOptions,
): Promise<Result<CollectionReport, Problem>> {
  const store = readStore(dataDir);
  if (!store.ok) return store;
  try {
    return ok(await previewCollection(store.value, options));
  } finally {
    store.value.close();
  }
}

async function collect(
  { dataDir }: AgentSettings,
  options: CollectionOptions,
): Promise<Result<CollectionReport, Problem>> {
  const store = openStore(dataDir);
  if (!store.ok) return store;
  try {
    // The data directory is this process's alone, so what still runs there was left behind by one that died.
    store.value.interruptRunning();
    return ok(await collectGarbage(store.value, options));
  } finally {
    store.value.close();
  }
}
