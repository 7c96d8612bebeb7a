import { Command, Option } from 'commander';
import type { Client, ClientResult } from '../../client/client.ts';
import { RUN_STATES, type RunState } from '../../core/run-terms.ts';
import { positiveInteger } from '../option-parsers.ts';
import { addAgentOptions } from '../remote/agent-options.ts';
import { renderRunList } from '../remote/run-list-report.ts';
import { renderRunResource } from '../remote/run-outcome.ts';
import { type TellOptions, tellAnswer } from '../remote/tell-answer.ts';
import type { Terminal } from '../terminal.ts';
import { withoutAbsent } from '../without-absent.ts';

interface ListOptions extends TellOptions {
  readonly model?: string;
  readonly state?: RunState;
  readonly limit?: number;
}

export function runsCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const runs = new Command('runs').description('the runs of a daemon: what waits, runs and ended');
  const add = (name: string, description: string, isDefault = false) =>
    addAgentOptions(runs.command(name, { isDefault }).description(description), 'the daemon').option(
      '--json',
      'print JSON',
      false,
    );
  add('list', 'the newest first; what is done where nothing else is named', true)
    .option('--model <name>', 'only those of this model')
    .addOption(new Option('--state <state>', 'only those that are so').choices(RUN_STATES))
    .option('--limit <n>', 'at most so many, up to 200 (default: 50)', positiveInteger)
    .action(async ({ model, state, limit, ...options }: ListOptions) => {
      const query = withoutAbsent({ model, state, limit: limit?.toString() });
      exit(await tellAnswer(terminal, options, (client) => client.listRuns(query), renderRunList));
    });
  add('show <id>', 'a run with what it found out').action(async (id: string, options: TellOptions) =>
    exit(
      await tellAnswer(
        terminal,
        options,
        (client) => client.getRun(id),
        (run) => renderRunResource(run, options),
      ),
    ),
  );
  add('cancel <id>', 'end a run, or take it out of the queue').action(
    async (id: string, options: TellOptions) =>
      exit(
        await tellAnswer(
          terminal,
          options,
          (client) => client.cancelRun(id),
          ({ state }) => (state === 'cancelled' ? `${id} is cancelled` : `${id} is about to end`),
        ),
      ),
  );
  add('remove <id>', 'remove a run that is over, with all that it kept').action(
    async (id: string, options: TellOptions) =>
      exit(
        await tellAnswer(
          terminal,
          options,
          (client) => remove(client, id),
          () => `${id} is removed`,
        ),
      ),
  );
  return runs;
}

async function remove(client: Client, id: string): Promise<ClientResult<{ readonly removed: string }>> {
  const removed = await client.removeRun(id);
  return removed.ok ? { ok: true, value: { removed: id } } : removed;
}
