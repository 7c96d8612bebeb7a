import { Command } from 'commander';
import { tellAnswer } from '../remote/tell-answer.ts';
import { addWatchOptions, choiceOf, type WatchOptions } from '../remote/watch-options.ts';
import { renderWatch } from '../remote/watch-report.ts';
import type { Terminal } from '../terminal.ts';

export function acknowledgeCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const command = new Command('acknowledge')
    .description('takes regressions of a model for known: they do not alarm any more until they get worse')
    .argument('<name>', 'a registered model');
  return addWatchOptions(command).action(async (name: string, options: WatchOptions) =>
    exit(
      await tellAnswer(
        terminal,
        options,
        (client) => client.acknowledge(name, choiceOf(options)),
        renderWatch,
      ),
    ),
  );
}
