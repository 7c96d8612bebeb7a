import { describe, expect, it } from 'vitest';
import { hasFailed, isFailedVerdict } from '../../../src/cli/verdict-exit.ts';

describe('the exit code of an evaluation', () => {
  it.each([
    ['non_inferior', false],
    ['inconclusive', false],
    ['regressed', true],
    ['invalid', true],
  ] as const)('follows from the verdict %s: %s', (verdict, failed) => {
    expect([isFailedVerdict(verdict), hasFailed({ verdict })]).toEqual([failed, failed]);
  });

  it.each([
    ['none', false],
    ['numeric', false],
    ['answers', true],
  ] as const)('follows from a drift as well, whatever the verdict: %s', (drift, failed) => {
    const recorded = { onnxRuntimeVersion: '1', cpuModel: 'c', recordedWallMs: 0 };
    const of = { recorded, n: 1, drift, changed: { count: 0, indices: [] }, maxAbsError: 0 };
    expect(hasFailed({ verdict: 'non_inferior', drift: of })).toBe(failed);
    expect(hasFailed({ verdict: 'invalid', drift: of })).toBe(true);
  });
});
