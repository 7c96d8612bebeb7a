import { type Problem, problem } from '../../core/problem.ts';
import { formatBytes } from '../../core/units.ts';

/**
 * Why a model cannot be quantized with what is free; undefined where it can. A copy of the model with its constants computed, the result and
 * what tries both lie on the disk at a time.
 */
export function shortageForQuantizing(
  modelBytes: number,
  freeBytes: number,
): Problem<'disk-space-low'> | undefined {
  const neededBytes = modelBytes * COPIES;
  if (freeBytes >= neededBytes) return undefined;
  return problem(
    'disk-space-low',
    `quantizing a model of ${formatBytes(modelBytes)} takes up to ${formatBytes(neededBytes)} on the disk of the data directory, and ${formatBytes(freeBytes)} are free`,
    { hint: 'make room on the disk, or name a data directory on a larger one with --data-dir' },
  );
}

/** At the worst moment it was 3.1 times the model with static recipes (MobileNetV2, SqueezeNet), and once with float16. */
const COPIES = 3.5;
