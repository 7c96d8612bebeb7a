import { expect } from 'vitest';
import type { Figures } from '../../../../src/evaluation/task.ts';

/** Absolute for figures below 1, relative above. */
const TOLERANCE = 1e-9;

/** Expects the same names, the same nulls, and numbers within 1e-9. */
export function expectSameFigures(actual: Figures, expected: Figures, context: unknown): void {
  expect(Object.keys(actual).sort(), describeContext(context)).toEqual(Object.keys(expected).sort());
  for (const [name, value] of Object.entries(expected)) {
    const found = actual[name] ?? null;
    if (value === null || found === null) {
      expect(found, `${name} of ${describeContext(context)}`).toBe(value);
    } else {
      const error = Math.abs(found - value) / Math.max(1, Math.abs(value));
      expect(error, `${name} is ${found}, not ${value}, of ${describeContext(context)}`).toBeLessThan(
        TOLERANCE,
      );
    }
  }
}

function describeContext(context: unknown): string {
  return JSON.stringify(context).slice(0, 2000);
}
