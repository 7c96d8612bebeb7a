import { type Command, Option } from 'commander';
import type { BenchRequest, RunEvent } from '../../client/client.ts';
import { SCENARIOS } from '../../core/bench-terms.ts';
import { problem } from '../../core/problem.ts';
import { PRIORITIES } from '../../core/run-terms.ts';
import { type BenchOutcome, benchFleet } from '../../fleet/bench-fleet.ts';
import { type AgentRuns, compareHosts } from '../../fleet/compare-hosts.ts';
import { measuredIn } from '../../fleet/measured-runs.ts';
import { EXIT } from '../exit-code.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import { durationSeconds, list, positiveInteger, threadCount } from '../option-parsers.ts';
import { createProgressView } from '../progress.ts';
import type { ProgressView } from '../progress-view.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';
import { withoutAbsent } from '../without-absent.ts';
import { hasFailedToBench, renderFleetBench } from './fleet-bench-report.ts';
import { addIntervalOptions, comparisonOptions, type IntervalOptions } from './fleet-compare.ts';
import { addFleetOptions, type FleetOptions, openFleet } from './fleet-options.ts';
import { renderFleetComparison, slowerHosts } from './host-comparison-report.ts';

interface BenchOptions extends FleetOptions, IntervalOptions {
  readonly variants?: readonly string[];
  readonly suite?: string;
  readonly scenario?: BenchRequest['scenario'];
  readonly repeat: number;
  readonly duration?: number;
  readonly threads?: number;
  readonly priority?: BenchRequest['priority'];
  readonly deadline?: number;
  readonly quiet: boolean;
  readonly json: boolean;
}

export function addFleetBench(fleet: Command, terminal: Terminal, exit: (code: number) => void): void {
  const command = fleet
    .command('bench')
    .description(
      'the same benchmark on every host that has the model, and how the hosts compare; exits with 1 where one failed, is not valid or slower',
    )
    .argument('<model>', 'a registered model')
    .option('--variants <names>', 'only these of the model, comma-separated', list)
    .option('--suite <name>', "one of the profile's suites")
    .addOption(
      new Option('--scenario <scenario>', 'one scenario instead of a suite').choices(
        SCENARIOS.filter((scenario) => scenario !== 'replay'),
      ),
    )
    .option(
      '--repeat <n>',
      'so many runs one after the other on each host; from three on intervals know how runs differ',
      positiveInteger,
      1,
    )
    .option('--duration <time>', 'how long each measurement lasts', durationSeconds)
    .option('--threads <n>', 'of the runtime; 0 is every core', threadCount)
    .addOption(new Option('--priority <level>', 'whose turn it is (default: normal)').choices(PRIORITIES))
    .option('--deadline <time>', 'give a run up when it is not over after this', durationSeconds)
    .option('-q, --quiet', 'no progress', false)
    .option('--json', 'print JSON', false);
  addFleetOptions(addIntervalOptions(command)).action(async (model: string, options: BenchOptions) =>
    exit(await bench(model, options, terminal)),
  );
}

async function bench(model: string, options: BenchOptions, terminal: Terminal): Promise<number> {
  const agents = await openFleet(options);
  if (!agents.ok) return printProblems(terminal, agents.error);
  const signal = abortOnInterrupt();
  const progress = await createProgressView(terminal, options);
  const note = (text: string) => {
    if (!options.quiet) terminal.stderr.write(`${text}\n`);
  };
  signal.addEventListener('abort', () => note('the runs are being cancelled; Ctrl-C again leaves them'));
  const outcomes = await benchFleet(agents.value, orderOf(model, options), {
    parallel: options.parallel,
    repeat: options.repeat,
    signal,
    onOrdered: (agent, { id, queuePosition = 0 }) =>
      note(`${agent}: run ${id}${queuePosition === 0 ? '' : `, ${queuePosition} before it in the queue`}`),
    onEvent: (agent, event) => show(agent, event, progress),
  });
  progress.stop();
  if (outcomes.every(({ outcome }) => outcome === 'without-model')) {
    const hint = 'ptq-agent models --agent URL tells what an agent has';
    return printProblems(terminal, [
      problem('unknown-model', `no agent of the fleet has a model '${model}'`, { hint }),
    ]);
  }
  const comparison = compareHosts(outcomes.flatMap(runsOf), comparisonOptions(options));
  printResult(terminal, { outcomes, ...comparison }, options.json, () =>
    [renderFleetBench(outcomes), renderFleetComparison(comparison)].join('\n\n'),
  );
  if (signal.aborted) return EXIT.interrupted;
  const failed = outcomes.some(hasFailedToBench) || slowerHosts(comparison.comparisons).size > 0;
  return failed ? EXIT.verdictFailed : EXIT.done;
}

function orderOf(model: string, options: BenchOptions): BenchRequest {
  const { variants, suite, scenario, duration, threads, priority, deadline } = options;
  return {
    model,
    ...withoutAbsent({
      variants: variants === undefined ? undefined : [...variants],
      ...{ suite, scenario, durationSeconds: duration, threads, priority, deadlineSeconds: deadline },
    }),
  };
}

/** Progress of many hosts at a time: each is a subject of its own. */
function show(agent: string, event: RunEvent, progress: ProgressView): void {
  if (event.kind !== 'progress') return;
  const { subject = '', ...rest } = event.progress;
  progress.update({ ...rest, subject: `${agent} ${subject}`.trim() });
}

function runsOf(outcome: BenchOutcome): readonly AgentRuns[] {
  if (outcome.outcome !== 'ended') return [];
  const { agent, runs } = outcome;
  return [{ agent, runs: runs.toReversed().flatMap((run) => measuredIn(run) ?? []) }];
}
