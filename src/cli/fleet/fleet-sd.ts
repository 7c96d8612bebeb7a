import { type Command, InvalidArgumentError } from 'commander';
import { type ListenAddress, parseListenAddress } from '../../config/listen-address.ts';
import { toJson } from '../../core/json.ts';
import { serveTargets } from '../../fleet/serve-targets.ts';
import { toTargetGroups } from '../../fleet/target-groups.ts';
import { EXIT } from '../exit-code.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import { printProblems, type Terminal } from '../terminal.ts';
import { addSourceOptions, type FleetOptions, findTargets } from './fleet-options.ts';

interface SdOptions extends FleetOptions {
  readonly listen?: ListenAddress;
}

export function addFleetSd(fleet: Command, terminal: Terminal, exit: (code: number) => void): void {
  const command = fleet
    .command('sd')
    .description(
      'the list of agents as Prometheus reads it: printed once, or with --listen served to http_sd_configs',
    )
    .option('--listen <address>', 'serve it at HOST:PORT/targets and look anew for every request', address);
  addSourceOptions(command).action(async (options: SdOptions) =>
    exit(await (options.listen === undefined ? print(options, terminal) : serve(options, terminal))),
  );
}

async function print(options: SdOptions, terminal: Terminal): Promise<number> {
  const targets = await findTargets(options);
  if (!targets.ok) return printProblems(terminal, targets.error);
  terminal.stdout.write(`${toJson(toTargetGroups(targets.value), 2)}\n`);
  return EXIT.done;
}

async function serve(options: SdOptions, terminal: Terminal): Promise<number> {
  const { listen = { host: '127.0.0.1', port: 9478 } } = options;
  const server = await serveTargets(listen, () => findTargets(options));
  if (!server.ok) return printProblems(terminal, [server.error]);
  terminal.stderr.write(`the list of agents is at ${server.value.url}\n`);
  // What is wrong now may be right later, and who started it hears of it at once.
  const now = await findTargets(options);
  if (!now.ok) printProblems(terminal, now.error);
  const signal = abortOnInterrupt();
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  await server.value.close();
  return EXIT.done;
}

function address(text: string): ListenAddress {
  const parsed = parseListenAddress(text);
  if (parsed.ok) return parsed.value;
  throw new InvalidArgumentError(`${parsed.error.message}; ${parsed.error.hint ?? ''}`);
}
