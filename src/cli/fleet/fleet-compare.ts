import type { Command } from 'commander';
import type { ClientProblem } from '../../client/client.ts';
import { type AgentRuns, type CompareHostsOptions, compareHosts } from '../../fleet/compare-hosts.ts';
import type { FleetAgent } from '../../fleet/fleet-agent.ts';
import { inParallel } from '../../fleet/in-parallel.ts';
import { lastMeasuredRuns } from '../../fleet/measured-runs.ts';
import { EXIT } from '../exit-code.ts';
import { confidence, positiveInteger, positiveNumber } from '../option-parsers.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';
import { withoutAbsent } from '../without-absent.ts';
import { addFleetOptions, type FleetOptions, openFleet } from './fleet-options.ts';
import { renderFleetComparison, slowerHosts } from './host-comparison-report.ts';

export interface IntervalOptions {
  readonly confidence?: number;
  /** Percent. */
  readonly minEffect?: number;
}

interface CompareOptions extends FleetOptions, IntervalOptions {
  readonly runs: number;
  readonly json: boolean;
}

/** What an agent could not be asked. */
interface Silent {
  readonly agent: string;
  readonly problem: ClientProblem;
}

export function addIntervalOptions(command: Command): Command {
  return command
    .option('--confidence <share>', 'of all intervals of a measurement together (default: 0.95)', confidence)
    .option(
      '--min-effect <percent>',
      'the smallest difference to claim (default: 5, and 15 with fewer than three runs of a host)',
      positiveNumber,
    );
}

export function comparisonOptions({ confidence: share, minEffect }: IntervalOptions): CompareHostsOptions {
  return withoutAbsent({
    confidence: share,
    minEffectRatio: minEffect === undefined ? undefined : minEffect / 100,
  });
}

export function addFleetCompare(fleet: Command, terminal: Terminal, exit: (code: number) => void): void {
  const command = fleet
    .command('compare')
    .description(
      'which hosts are slower than those with the same processor, GPUs and runtime, by the last runs of each; exits with 1 where one is, or an agent does not answer',
    )
    .argument('[model]', 'only this one')
    .option('--runs <n>', 'the last so many runs of each model and host', positiveInteger, 5)
    .option('--json', 'print JSON', false);
  addFleetOptions(addIntervalOptions(command)).action(
    async (model: string | undefined, options: CompareOptions) =>
      exit(await compare(model, options, terminal)),
  );
}

async function compare(
  model: string | undefined,
  options: CompareOptions,
  terminal: Terminal,
): Promise<number> {
  const agents = await openFleet(options);
  if (!agents.ok) return printProblems(terminal, agents.error);
  const asked = await inParallel(agents.value, options.parallel, (agent) =>
    measuredBy(agent, { ...(model === undefined ? {} : { model }), count: options.runs }),
  );
  const silent = asked.filter((one) => 'problem' in one);
  const runs = asked.filter((one) => 'runs' in one);
  const comparison = compareHosts(runs, comparisonOptions(options));
  const report = { ...comparison, failed: silent.map(({ agent, problem }) => ({ agent, ...problem })) };
  printResult(terminal, report, options.json, () => renderFleetComparison(comparison));
  for (const { agent, problem } of silent) terminal.stderr.write(`${agent}: ${problem.message}\n`);
  return silent.length > 0 || slowerHosts(comparison.comparisons).size > 0 ? EXIT.verdictFailed : EXIT.done;
}

async function measuredBy(
  { target: { name: agent, note }, client }: FleetAgent,
  query: Parameters<typeof lastMeasuredRuns>[1],
): Promise<AgentRuns | Silent> {
  if (client === null)
    return { agent, problem: { kind: 'daemon-unreachable', message: note ?? 'it has no address' } };
  const runs = await lastMeasuredRuns(client, query);
  return runs.ok ? { agent, runs: runs.value } : { agent, problem: runs.error };
}
