import { type Command, Option } from 'commander';
import type { Goal } from '../../core/goal.ts';
import { durationSeconds, threadCount } from '../option-parsers.ts';
import { PLAIN_TASKS } from '../plain-tasks.ts';
import { latencyGoal, sizeGoal } from './goal-option.ts';

/** The name of the recipe that is searched. */
export const AUTO = 'auto';

/** What `--recipe auto` is told. */
export interface SearchOptions {
  readonly data?: string;
  readonly evalSplit?: string;
  readonly task?: (typeof PLAIN_TASKS)[number];
  readonly budget?: string;
  readonly maxLatency?: Goal;
  readonly maxSize?: Goal;
  readonly timeLimit?: number;
  readonly resume?: boolean;
  readonly report?: string;
  readonly latencyThreads?: number;
}

/** By the names under which commander keeps them. */
export const SEARCH_OPTIONS: readonly (keyof SearchOptions)[] = [
  'data',
  'evalSplit',
  'task',
  'budget',
  'maxLatency',
  'maxSize',
  'timeLimit',
  'resume',
  'report',
  'latencyThreads',
];

/** Adds the options of a search for the best recipe. */
export function addSearchOptions(command: Command): Command {
  return command
    .optionsGroup('With --recipe auto, which searches the best recipe for this host:')
    .option(
      '--data <path>',
      'what the chosen model is evaluated on in the end (default: that of a profile named by --calibration)',
    )
    .option('--eval-split <name>', 'its split (default: eval, or the one of the profile)')
    .addOption(
      new Option('--task <name>', 'what the outputs are')
        .choices(PLAIN_TASKS)
        .default(undefined, "the profile's, or classification"),
    )
    .option(
      '--budget <rule>',
      'what may be lost, such as "top1>=-1pt", "top1>=-1%", "agreement>=99%", "sqnr_db>=25" (default: the profile\'s, or 1 %)',
    )
    .option(
      '--max-latency <time>',
      'a goal: 5ms, or 0.5x of float32; the smallest model that reaches it is taken',
      latencyGoal,
    )
    .option(
      '--max-size <size>',
      'a goal: 2MiB, or 0.3x of float32; the fastest model that reaches it is taken',
      sizeGoal,
    )
    .option('--time-limit <time>', 'end after this with the best so far, such as 30m', durationSeconds)
    .option('--resume', 'go on with a search that did not come to its end; nothing is measured twice')
    .option('--report <file.html>', 'write a page with a picture of what was tried')
    .option(
      '--latency-threads <n>',
      "threads at which latency is measured; 0 is every core (default: 1, or the profile's)",
      threadCount,
    );
}
