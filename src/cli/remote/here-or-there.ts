import type { Command } from 'commander';
import type { Client } from '../../client/client.ts';
import { type Problem, problem } from '../../core/problem.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import { createProgressView } from '../progress.ts';
import { printProblems, type Terminal } from '../terminal.ts';
import { openClient } from './agent-options.ts';
import { printExplanations } from './explained-variants.ts';
import { isOrder, type OrderKind, type OrderOptions, orderOf, withoutAgent } from './order-options.ts';
import { placeOrder } from './place-order.ts';
import { problemsOfClient } from './problem-of-client.ts';

/** The action of a command whose work is done here, or where `--agent` names a daemon, there. */
export function hereOrThere<Args extends unknown[]>(
  kind: OrderKind,
  { terminal, exit }: { readonly terminal: Terminal; readonly exit: (code: number) => void },
  here: (...args: Args) => Promise<number>,
): (this: Command, ...args: Args) => Promise<void> {
  return async function (this: Command, ...args) {
    const options = this.opts<OrderOptions>();
    if (isOrder(this)) return exit(await there(this, kind, options, terminal));
    const idle = withoutAgent(this, kind);
    exit(idle.length > 0 ? printProblems(terminal, idle) : await here(...args));
  };
}

async function there(
  command: Command,
  kind: OrderKind,
  options: OrderOptions,
  terminal: Terminal,
): Promise<number> {
  const order = orderOf(command, kind);
  if (!order.ok) return printProblems(terminal, order.error);
  const client = openClient(options);
  if (!client.ok) return printProblems(terminal, [client.error]);
  const { model } = order.value;
  if (isPath(model)) return printProblems(terminal, await pathProblems(model, client.value));
  return placeOrder(() => client.value[kind](order.value), {
    client: client.value,
    ...options,
    terminal,
    signal: abortOnInterrupt(),
    progress: await createProgressView(terminal, options),
    ...(kind === 'explain' ? { tellMore: (run) => printExplanations(run, client.value, terminal) } : {}),
  });
}

function isPath(model: string): boolean {
  return /[/\\]|\.(onnx|ya?ml)$/i.test(model);
}

/** A path means something on one host alone; what the daemon knows instead is asked for. */
async function pathProblems(path: string, client: Pick<Client, 'listModels'>): Promise<readonly Problem[]> {
  const models = await client.listModels();
  if (!models.ok) return problemsOfClient(models.error);
  const names = models.value.map(({ name }) => name);
  return [
    problem('bad-usage', `with --agent a registered model is named, and '${path}' is a path`, {
      hint: `registered are: ${names.join(', ') || 'none'}`,
    }),
  ];
}
