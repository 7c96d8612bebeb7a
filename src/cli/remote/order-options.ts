import { type Command, Option } from 'commander';
import type { BenchRequest, EvaluateRequest, ExplainRequest, RunRequest } from '../../client/client.ts';
import type { Scenario } from '../../core/bench-terms.ts';
import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { PRIORITIES, type Priority } from '../../core/run-terms.ts';
import type { Sampling } from '../../core/sampling.ts';
import { durationSeconds, list, samplingRate } from '../option-parsers.ts';
import { traceWish } from '../trace-option.ts';
import { withoutAbsent } from '../without-absent.ts';
import { type AgentOptions, addAgentOptions } from './agent-options.ts';

/** The commands whose work a daemon can do. */
export type OrderKind = 'run' | 'bench' | 'quantize' | 'evaluate' | 'explain';

export interface OrderOptions extends AgentOptions {
  readonly detach?: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** Options of an order beside those that a command has for its work here. */
interface Ordered {
  readonly priority?: Priority;
  readonly deadline?: number;
  readonly variants?: readonly string[];
  readonly sampling?: Sampling;
  readonly suite?: readonly string[];
  readonly scenario?: Scenario;
  readonly duration?: number;
  readonly samples?: number;
  readonly top?: number;
  readonly timeLimit?: number;
  readonly threads?: number;
  readonly trace?: boolean;
  readonly traceQueries?: number;
}

/** What every order can say, and how it is given and shown, by the names under which commander keeps it. */
const OF_ALL = ['priority', 'deadline', 'sampling', 'trace', 'traceQueries'];
const OF_THE_TALK = ['agent', 'tokenFile', 'detach', 'json', 'quiet'];

/** What only orders of some kinds can say. */
const OF_KIND: Readonly<Record<OrderKind, readonly string[]>> = {
  run: [],
  bench: ['variants', 'suite', 'scenario', 'duration', 'threads'],
  quantize: ['variants'],
  evaluate: ['variants', 'samples', 'threads'],
  explain: ['variants', 'samples', 'top', 'timeLimit'],
};

/** Adds `--agent` and what belongs to it. Comes after the options of the work here. */
export function addOrderOptions(command: Command, kind: OrderKind): Command {
  const what = 'have this daemon do it; the argument is then the name of a registered model';
  const isNew = (name: string) => !command.options.some((option) => option.attributeName() === name);
  command.optionsGroup('Done by a daemon:');
  addAgentOptions(command, what, 'default: it is done here')
    .option('--detach', 'print the id of the run and do not wait for it')
    .addOption(new Option('--priority <level>', 'whose turn it is (default: normal)').choices(PRIORITIES))
    .option(
      '--deadline <time>',
      'give the run up when it is not over after this, such as 2h',
      durationSeconds,
    );
  if (OF_KIND[kind].includes('variants'))
    command.option('--variants <names>', 'only these of the model, comma-separated', list);
  if (isNew('sampling'))
    command.option(
      '--sampling <rate>',
      'how often the host is sampled: off, slow, or 1hz to 100hz',
      samplingRate,
    );
  return command;
}

/** Whether a daemon is to do it. */
export function isOrder(command: Command): boolean {
  return command.getOptionValue('agent') !== undefined;
}

/** What was given that means nothing without `--agent`. Problem: `bad-usage`. */
export function withoutAgent(command: Command, kind: OrderKind): readonly Problem[] {
  const onlyThere = ['tokenFile', 'detach', 'priority', 'deadline', 'variants'];
  // The commands that sample the host for their work here have the option for it.
  if (kind === 'quantize' || kind === 'evaluate' || kind === 'explain') onlyThere.push('sampling');
  return givenOptions(command)
    .filter((option) => onlyThere.includes(option.attributeName()))
    .map(({ long }) =>
      problem('bad-usage', `${long} is for what a daemon does`, { hint: 'name the daemon with --agent' }),
    );
}

/** The order that the command line asks for. Problem: `bad-usage` for what an order cannot say. */
export function orderOf(
  command: Command,
  kind: OrderKind,
): Result<RunRequest & BenchRequest & EvaluateRequest & ExplainRequest, readonly Problem[]> {
  const can = [...OF_ALL, ...OF_KIND[kind]];
  const flags = command.options.filter((option) => can.includes(option.attributeName()));
  const foreign = givenOptions(command).filter(
    (option) => ![...can, ...OF_THE_TALK].includes(option.attributeName()),
  );
  const given: Ordered = Object.fromEntries(
    givenOptions(command).map((option) => [
      option.attributeName(),
      command.getOptionValue(option.attributeName()),
    ]),
  );
  const trace = traceWish({ ...withoutAbsent(given), trace: given.trace === true });
  const [model = ''] = command.args;
  const mistakes = [
    ...foreignMistakes(foreign, flags),
    ...countMistakes(command.args.length),
    ...suiteMistakes(given),
  ];
  if (!trace.ok) mistakes.push(trace.error);
  if (mistakes.length > 0 || !trace.ok) return err(mistakes);
  const { priority, deadline, variants, sampling, suite, duration, samples, threads, top } = given;
  return ok({
    model,
    ...withoutAbsent({
      ...{ priority, sampling, samples, threads, top },
      timeLimitSeconds: given.timeLimit,
      deadlineSeconds: deadline,
      variants: variants === undefined ? undefined : [...variants],
      suite: suite?.[0],
      // A replay is refused above.
      scenario: given.scenario as BenchRequest['scenario'],
      durationSeconds: duration,
      trace: trace.value === undefined ? undefined : { queries: trace.value.queries },
    }),
  });
}

/** The options that stand on the command line. */
function givenOptions(command: Command): readonly Option[] {
  return command.options.filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli');
}

function foreignMistakes(foreign: readonly Option[], known: readonly Option[]): Problem[] {
  const names = (options: readonly Option[]) => options.map(({ long }) => long).join(', ');
  if (foreign.length === 0) return [];
  return [
    problem(
      'bad-usage',
      `${names(foreign)} cannot be ordered of a daemon, where the profile of the model says such things`,
      { hint: `leave out what is not among these: ${names(known)}` },
    ),
  ];
}

function countMistakes(count: number): Problem[] {
  if (count === 1) return [];
  const hint = 'its variants are chosen with --variants';
  return [problem('bad-usage', `with --agent one model is named, and here are ${count}`, { hint })];
}

function suiteMistakes({ suite = [], scenario }: Ordered): Problem[] {
  const hint = "order one after the other, or all of the profile's with ptq-agent run";
  return [
    ...(suite.length > 1 ? [problem('bad-usage', 'an order takes one --suite', { hint })] : []),
    ...(scenario === 'replay'
      ? [
          problem('bad-usage', 'a replay needs a trace, which an order cannot name', {
            hint: 'order a suite of the profile that replays it, with --suite',
          }),
        ]
      : []),
  ];
}
