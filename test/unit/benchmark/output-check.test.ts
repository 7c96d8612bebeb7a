import { describe, expect, it } from 'vitest';
import {
  createOutputCheck,
  mergeOutputChecks,
  type OutputCheckReport,
} from '../../../src/benchmark/output-check.ts';
import { encodeFloat16 } from '../../../src/core/float16.ts';
import type { ElementType, Tensor } from '../../../src/core/tensor.ts';

const float = (...values: number[]): Tensor => ({
  type: 'float32',
  dims: [values.length],
  data: Float32Array.from(values),
});
const half = (...values: number[]): Tensor => ({
  type: 'float16',
  dims: [values.length],
  data: Uint16Array.from(values, encodeFloat16),
});
const codes = (...values: number[]): Tensor => ({
  type: 'uint8',
  dims: [values.length],
  data: Uint8Array.from(values),
});
const indices = (...values: bigint[]): Tensor => ({
  type: 'int64',
  dims: [values.length],
  data: BigInt64Array.from(values),
});
const texts = (...values: string[]): Tensor => ({ type: 'string', dims: [values.length], data: values });

function check(
  reference: Tensor,
  found: Tensor,
  tolerances?: Parameters<typeof createOutputCheck>[0],
): OutputCheckReport {
  const outputCheck = createOutputCheck(tolerances);
  outputCheck.add(3, { scores: reference }, { scores: found });
  return outputCheck.report();
}

describe('createOutputCheck', () => {
  it('finds outputs alike that are equal bit for bit, NaN and infinities too', () => {
    const values = float(1.5, Number.NaN, Number.POSITIVE_INFINITY, -0, 0);
    expect(check(values, float(...(values.data as Float32Array)))).toEqual({
      compared: 1,
      equalBits: 1,
      maxAbsDifference: 0,
      maxRelativeDifference: 0,
      mismatches: [],
    });
  });

  it('bears what another order of summation changes, and tells how much it is', () => {
    const report = check(float(4, 100, 0), float(4.001, 100, 0.000_001));
    expect(report).toMatchObject({ compared: 1, equalBits: 0, mismatches: [] });
    expect(report.maxAbsDifference).toBeCloseTo(0.001, 6);
    expect(report.maxRelativeDifference).toBeCloseTo(0.000_25, 7);
  });

  it('names sample, output and first element of what it does not bear', () => {
    const report = check(float(1, 2, 3, 4), float(1, 2.5, 3, 5));
    expect(report.mismatches).toEqual([
      { sample: 3, output: 'scores', reason: '2 of 4 elements differ, the first at 1: 2.5 instead of 2' },
    ]);
    expect(report).toMatchObject({ maxAbsDifference: 1, maxRelativeDifference: 0.25 });
  });

  it('takes 0 and -0 for alike, though not bit for bit', () => {
    expect(check(float(0), float(-0))).toMatchObject({ equalBits: 0, maxAbsDifference: 0, mismatches: [] });
  });

  it.each([
    ['NaN', float(Number.NaN), float(1)],
    ['NaN', float(1), float(Number.NaN)],
    ['an infinity', float(1), float(Number.POSITIVE_INFINITY)],
    ['the other infinity', float(Number.NEGATIVE_INFINITY), float(Number.POSITIVE_INFINITY)],
  ])('does not take %s for like anything else, and keeps the differences finite', (_, reference, found) => {
    const report = check(reference, found, { float32: { absolute: 1e30, relative: 1e30 } });
    expect(report.mismatches).toHaveLength(1);
    expect(report).toMatchObject({ maxAbsDifference: 0, maxRelativeDifference: 0 });
  });

  it('compares float16 by value, not by bits', () => {
    expect(check(half(100, Number.NaN), half(100.25, Number.NaN))).toMatchObject({
      equalBits: 0,
      maxAbsDifference: 0.25,
      mismatches: [],
    });
    expect(check(half(100), half(102)).mismatches[0]?.reason).toContain('0: 102 instead of 100');
  });

  it('wants whole numbers and texts equal', () => {
    expect(check(codes(7, 8), codes(7, 8))).toMatchObject({ equalBits: 1, mismatches: [] });
    expect(check(codes(7, 8), codes(7, 9))).toMatchObject({ maxAbsDifference: 1 });
    expect(check(codes(7, 8), codes(7, 9)).mismatches).toHaveLength(1);
    expect(check(texts('cat'), texts('cat'))).toMatchObject({ equalBits: 1, mismatches: [] });
    expect(check(texts('cat'), texts('dog'))).toMatchObject({ maxAbsDifference: 0 });
    expect(check(texts('cat'), texts('dog')).mismatches[0]?.reason).toContain('0: "dog" instead of "cat"');
  });

  it('tells large whole numbers apart that are one as floating point', () => {
    const report = check(indices(2n ** 60n), indices(2n ** 60n + 1n));
    expect(report).toMatchObject({ equalBits: 0, maxAbsDifference: 1 });
    expect(report.mismatches).toHaveLength(1);
  });

  it('takes a tolerance for an element type, and leaves that of the others', () => {
    const oneCode = { uint8: { absolute: 1, relative: 0 } };
    expect(check(codes(7, 8), codes(7, 9), oneCode)).toMatchObject({ maxAbsDifference: 1, mismatches: [] });
    expect(check(codes(7, 8), codes(7, 10), oneCode).mismatches).toHaveLength(1);
    expect(check(indices(1n), indices(2n), oneCode).mismatches).toHaveLength(1);
  });

  it('has a default for every element type that bears no real difference', () => {
    const types: ElementType[] = ['float64', 'int8', 'int16', 'uint16', 'int32', 'uint32', 'bool'];
    for (const type of types) {
      const [one, two] = [1, 2].map((value) => ({ type, dims: [1], data: Float64Array.of(value) }));
      expect(check(one as Tensor, one as Tensor).mismatches).toEqual([]);
      expect(check(one as Tensor, two as Tensor).mismatches).toHaveLength(1);
    }
  });

  it.each([
    ['The shape is [1, 2] instead of [2]', float(1, 2), { ...float(1, 2), dims: [1, 2] }],
    ['The shape is [3] instead of [2]', float(1, 2), float(1, 2, 3)],
    ['The element type is uint8 instead of float32', float(1), codes(1)],
  ])('counts as a mismatch: %s', (reason, reference, found) => {
    expect(check(reference, found)).toMatchObject({
      compared: 1,
      equalBits: 0,
      mismatches: [{ sample: 3, output: 'scores', reason }],
    });
  });

  it('counts an output that one side lacks', () => {
    const outputCheck = createOutputCheck();
    outputCheck.add(0, { boxes: float(1), scores: float(2) }, { scores: float(2), labels: float(3) });
    expect(outputCheck.report()).toMatchObject({ compared: 3, equalBits: 1 });
    expect(outputCheck.report().mismatches).toEqual([
      { sample: 0, output: 'boxes', reason: 'The measured run has no such output' },
      { sample: 0, output: 'labels', reason: 'The run that was not measured has no such output' },
    ]);
  });

  it('adds up over samples', () => {
    const outputCheck = createOutputCheck();
    outputCheck.add(0, { scores: float(1) }, { scores: float(1) });
    outputCheck.add(1, { scores: float(1) }, { scores: float(3) });
    outputCheck.add(2, { scores: float(1) }, { scores: float(2) });
    const report = outputCheck.report();
    expect(report).toMatchObject({ compared: 3, equalBits: 1, maxAbsDifference: 2 });
    expect(report.mismatches.map(({ sample }) => sample)).toEqual([1, 2]);
    expect(createOutputCheck().report()).toMatchObject({ compared: 0, mismatches: [] });
  });
});

describe('mergeOutputChecks', () => {
  it('adds up what was compared and keeps the largest difference', () => {
    const merged = mergeOutputChecks([check(float(1, 2), float(1, 2)), check(codes(1), codes(2))]);
    expect(merged).toMatchObject({ compared: 2, equalBits: 1, maxAbsDifference: 1 });
    expect(merged.mismatches).toHaveLength(1);
    expect(mergeOutputChecks([])).toMatchObject({ compared: 0, maxAbsDifference: 0 });
  });
});
