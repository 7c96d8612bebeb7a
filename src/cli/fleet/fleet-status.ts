import type { Command } from 'commander';
import { surveyFleet } from '../../fleet/survey.ts';
import { EXIT } from '../exit-code.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';
import { addFleetOptions, type FleetOptions, openFleet } from './fleet-options.ts';
import { isUnwell, renderStatus } from './fleet-status-report.ts';

interface StatusOptions extends FleetOptions {
  readonly json: boolean;
}

export function addFleetStatus(fleet: Command, terminal: Terminal, exit: (code: number) => void): void {
  const command = fleet
    .command('status')
    .description(
      'every agent, what it does and what it found; exits with 1 where one is not ready or a variant regressed',
    )
    .option('--json', 'print JSON', false);
  addFleetOptions(command).action(async (options: StatusOptions) => exit(await status(options, terminal)));
}

async function status(options: StatusOptions, terminal: Terminal): Promise<number> {
  const agents = await openFleet(options);
  if (!agents.ok) return printProblems(terminal, agents.error);
  const reports = await surveyFleet(agents.value, options);
  printResult(terminal, { agents: reports }, options.json, () => renderStatus(reports));
  return reports.some(isUnwell) ? EXIT.verdictFailed : EXIT.done;
}
