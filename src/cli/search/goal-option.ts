import { InvalidArgumentError } from 'commander';
import { parseLatencyGoal, parseSizeGoal } from '../../config/goal.ts';
import type { Goal } from '../../core/goal.ts';

/** `5ms`, or `0.5x` and `50%` of what float32 takes. */
export function latencyGoal(text: string): Goal {
  const goal = parseLatencyGoal(text);
  if (goal !== undefined) return goal;
  throw new InvalidArgumentError(
    `expected a latency such as 5ms, or a share of the float32 latency such as 0.5x, but found '${text}'`,
  );
}

/** `2MiB` or `2MB`, or `0.3x` and `30%` of the float32 file. */
export function sizeGoal(text: string): Goal {
  const goal = parseSizeGoal(text);
  if (goal !== undefined) return goal;
  throw new InvalidArgumentError(
    `expected a size such as 2MiB, or a share of the float32 size such as 0.3x, but found '${text}'`,
  );
}
