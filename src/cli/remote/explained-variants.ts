import type { Client, Run } from '../../client/client.ts';
import type { Explanation } from '../../jobs/explain/explanation.ts';
import { EXIT } from '../exit-code.ts';
import { renderExplanation } from '../explain/explain-report.ts';
import { printProblems, type Terminal } from '../terminal.ts';
import { problemsOfClient } from './problem-of-client.ts';

/** Asks what a run told of the nodes of variants, and prints it as `explain` does for models of this host. Returns the exit code. */
export async function printExplanations(
  { model, result }: Run,
  client: Pick<Client, 'getSensitivity'>,
  terminal: Terminal,
): Promise<number> {
  for (const { variant, sensitivity } of result?.variants ?? []) {
    if (sensitivity === undefined) continue;
    const told = await client.getSensitivity(model, variant);
    if (!told.ok) return printProblems(terminal, problemsOfClient(told.error));
    // A daemon of this version gives all that an explanation of this host has.
    terminal.stdout.write(`\n${variant}\n${renderExplanation(told.value as unknown as Explanation)}\n`);
  }
  return EXIT.done;
}
