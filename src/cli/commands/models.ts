import { Command } from 'commander';
import { addAgentOptions } from '../remote/agent-options.ts';
import { renderModel, renderModels } from '../remote/models-report.ts';
import { type TellOptions, tellAnswer } from '../remote/tell-answer.ts';
import type { Terminal } from '../terminal.ts';

export function modelsCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const command = new Command('models')
    .description('the registered models of a daemon: their variants, verdicts, and which one to use')
    .argument('[name]', 'only this one');
  return addAgentOptions(command, 'the daemon')
    .option('--json', 'print JSON', false)
    .action(async (name: string | undefined, options: TellOptions) =>
      exit(
        name === undefined
          ? await tellAnswer(terminal, options, (client) => client.listModels(), renderModels)
          : await tellAnswer(terminal, options, (client) => client.getModel(name), renderModel),
      ),
    );
}
