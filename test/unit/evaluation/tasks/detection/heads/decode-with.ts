import { attempt, type Problem } from '../../../../../../src/core/problem.ts';
import type { Result } from '../../../../../../src/core/result.ts';
import type { NamedTensors, Tensor } from '../../../../../../src/core/tensor.ts';
import { createCandidates } from '../../../../../../src/evaluation/tasks/detection/candidates.ts';
import type { Size } from '../../../../../../src/evaluation/tasks/detection/detections.ts';
import { createHead } from '../../../../../../src/evaluation/tasks/detection/heads/create-head.ts';
import type { HeadSettings } from '../../../../../../src/evaluation/tasks/detection/settings.ts';

export interface Decoded {
  /** x1, y1, x2, y2 of each candidate. */
  readonly boxes: readonly (readonly number[])[];
  readonly scores: readonly number[];
  readonly labels: readonly number[];
  readonly classCount: number | undefined;
  readonly hasNaN: boolean;
}

export function floats(dims: readonly number[], values: readonly number[]): Tensor {
  return { type: 'float32', dims, data: Float32Array.from(values) };
}

/** What a head finds in outputs, or its problem. */
export function decodeWith(
  settings: HeadSettings,
  tensors: NamedTensors,
  fed: Size | 'unknown' = { width: 64, height: 32 },
  threshold = 0.25,
): Result<Decoded, Problem> {
  return attempt(() => {
    const head = createHead(settings, Object.keys(tensors));
    const found = createCandidates(threshold, head.defaults.multiLabel);
    const classCount = head.decode(tensors, fed === 'unknown' ? undefined : fed, found);
    const candidates = Array.from({ length: found.count }, (_, i) => i);
    return {
      boxes: candidates.map((i) => {
        const at = 4 * (found.boxOf[i] as number);
        return [...found.boxes.subarray(at, at + 4)];
      }),
      scores: [...found.scores.subarray(0, found.count)],
      labels: [...found.labels.subarray(0, found.count)],
      classCount,
      hasNaN: found.hasNaN,
    };
  });
}

/** What a head finds where nothing is wrong. */
export function found(...args: Parameters<typeof decodeWith>): Decoded {
  const decoded = decodeWith(...args);
  if (!decoded.ok) throw new Error(decoded.error.message);
  return decoded.value;
}

/** The problem of a head where something is. */
export function problemOf(...args: Parameters<typeof decodeWith>): Problem {
  const decoded = decodeWith(...args);
  if (decoded.ok) throw new Error('nothing is wrong');
  return decoded.error;
}
