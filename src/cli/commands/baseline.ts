import { Command } from 'commander';
import { tellAnswer } from '../remote/tell-answer.ts';
import { addWatchOptions, choiceOf, type WatchOptions } from '../remote/watch-options.ts';
import { renderWatch } from '../remote/watch-report.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends WatchOptions {
  readonly from?: string;
}

export function baselineCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const command = new Command('baseline')
    .description('expects of a model from now on what was found last: later runs are held to that')
    .argument('<name>', 'a registered model');
  return addWatchOptions(command)
    .option(
      '--from <run>',
      'of latency the first run of the baseline (default: the one at which the level changed)',
    )
    .action(async (name: string, { from, ...options }: Options) =>
      exit(
        await tellAnswer(
          terminal,
          options,
          (client) =>
            client.pinBaseline(name, { ...choiceOf(options), ...(from === undefined ? {} : { from }) }),
          renderWatch,
        ),
      ),
    );
}
