import type { Client, ClientResult } from '../../client/client.ts';
import { EXIT } from '../exit-code.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';
import { type AgentOptions, openClient } from './agent-options.ts';
import { problemsOfClient } from './problem-of-client.ts';

export interface TellOptions extends AgentOptions {
  readonly json: boolean;
}

/** Asks a daemon and prints its answer. Returns the exit code. */
export async function tellAnswer<T>(
  terminal: Terminal,
  options: TellOptions,
  ask: (client: Client) => Promise<ClientResult<T>>,
  render: (value: T) => string,
): Promise<number> {
  const client = openClient(options);
  if (!client.ok) return printProblems(terminal, [client.error]);
  const answer = await ask(client.value);
  if (!answer.ok) return printProblems(terminal, problemsOfClient(answer.error));
  printResult(terminal, answer.value, options.json, render);
  return EXIT.done;
}
