import { Command } from 'commander';
import { addAgentOptions } from '../remote/agent-options.ts';
import { type TellOptions, tellAnswer } from '../remote/tell-answer.ts';
import { renderWatch } from '../remote/watch-report.ts';
import type { Terminal } from '../terminal.ts';

export function historyCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const command = new Command('history')
    .description('what the runs of a model say from one to the next: states, baselines, what changed and why')
    .argument('<name>', 'a registered model');
  return addAgentOptions(command, 'the daemon')
    .option('--json', 'print JSON', false)
    .action(async (name: string, options: TellOptions) =>
      exit(await tellAnswer(terminal, options, (client) => client.getWatch(name), renderWatch)),
    );
}
