import { decodeFloat16 } from '../core/float16.ts';
import type { ElementType, NamedTensors, Tensor } from '../core/tensor.ts';

/** Values are alike when |found - reference| <= absolute + relative · |reference|. */
export interface OutputTolerance {
  readonly absolute: number;
  readonly relative: number;
}

export interface OutputMismatch {
  /** Index of the sample. */
  readonly sample: number;
  readonly output: string;
  /** A sentence. */
  readonly reason: string;
}

/** Outputs of a measured run held against those of a run that was not measured. */
export interface OutputCheckReport {
  /** Outputs (named tensors) that were compared, over all samples. */
  readonly compared: number;
  /** How many of them are equal bit for bit, where NaN counts as itself. */
  readonly equalBits: number;
  /** Over all pairs of finite numbers. */
  readonly maxAbsDifference: number;
  /** |found - reference| / |reference|, over all pairs of finite numbers whose reference is not 0. */
  readonly maxRelativeDifference: number;
  readonly mismatches: readonly OutputMismatch[];
}

export interface OutputCheck {
  /** Compares one sample's outputs: those of `found` with those of `reference`. */
  add(sample: number, reference: NamedTensors, found: NamedTensors): void;
  report(): OutputCheckReport;
}

const EXACT: OutputTolerance = { absolute: 0, relative: 0 };

/**
 * The same model computed the same samples, only that nobody timed it there: no more may differ than what another order of
 * summation does. For float32 that is the tolerance that ONNX's backend tests have (1e-3) with a floor for results near 0;
 * float16 has 11 bits and gets a few units of the last one. Whole numbers, truth values and texts are equal or they are
 * not: a quantized output that may be one code off needs a tolerance of its own.
 */
const TOLERANCES: Readonly<Record<ElementType, OutputTolerance>> = {
  float64: { absolute: 1e-9, relative: 1e-7 },
  float32: { absolute: 1e-5, relative: 1e-3 },
  float16: { absolute: 1e-3, relative: 5e-3 },
  int8: EXACT,
  uint8: EXACT,
  int16: EXACT,
  uint16: EXACT,
  int32: EXACT,
  uint32: EXACT,
  int64: EXACT,
  uint64: EXACT,
  bool: EXACT,
  string: EXACT,
};

/**
 * Checks that a system computes under load what it computes otherwise, from outputs that were sampled while it was measured.
 * NaN is like NaN, and infinities are like their equals. An output that one side lacks, another shape or another element type
 * is a mismatch.
 *
 * Source: the idea is that of MLPerf's audit TEST01.
 *
 * @param tolerances what replaces the default of an element type.
 */
export function createOutputCheck(
  tolerances: Partial<Readonly<Record<ElementType, OutputTolerance>>> = {},
): OutputCheck {
  let compared = 0;
  let equalBits = 0;
  let maxAbsDifference = 0;
  let maxRelativeDifference = 0;
  const mismatches: OutputMismatch[] = [];

  const compare = (reference: Tensor | undefined, found: Tensor | undefined): string | null => {
    if (reference === undefined) return 'The run that was not measured has no such output';
    if (found === undefined) return 'The measured run has no such output';
    if (reference.type !== found.type)
      return `The element type is ${found.type} instead of ${reference.type}`;
    const [shape, expected] = [found, reference].map(({ dims }) => `[${dims.join(', ')}]`);
    if (shape !== expected) return `The shape is ${shape} instead of ${expected}`;
    const difference = compareValues(
      reference,
      found,
      tolerances[reference.type] ?? TOLERANCES[reference.type],
    );
    if (difference.equalBits) equalBits += 1;
    maxAbsDifference = Math.max(maxAbsDifference, difference.maxAbsolute);
    maxRelativeDifference = Math.max(maxRelativeDifference, difference.maxRelative);
    const { unlike, first } = difference;
    return unlike === 0
      ? null
      : `${unlike} of ${reference.data.length} elements differ, the first at ${first}`;
  };

  return {
    add: (sample, reference, found) => {
      for (const output of new Set([...Object.keys(reference), ...Object.keys(found)])) {
        compared += 1;
        const reason = compare(reference[output], found[output]);
        if (reason !== null) mismatches.push({ sample, output, reason });
      }
    },
    report: () => ({
      compared,
      equalBits,
      maxAbsDifference,
      maxRelativeDifference,
      mismatches: [...mismatches],
    }),
  };
}

/** One report of several. */
export function mergeOutputChecks(reports: readonly OutputCheckReport[]): OutputCheckReport {
  const sum = (figure: 'compared' | 'equalBits') =>
    reports.reduce((total, report) => total + report[figure], 0);
  const largest = (figure: 'maxAbsDifference' | 'maxRelativeDifference') =>
    reports.reduce((most, report) => Math.max(most, report[figure]), 0);
  return {
    compared: sum('compared'),
    equalBits: sum('equalBits'),
    maxAbsDifference: largest('maxAbsDifference'),
    maxRelativeDifference: largest('maxRelativeDifference'),
    mismatches: reports.flatMap(({ mismatches }) => mismatches),
  };
}

interface Difference {
  readonly equalBits: boolean;
  readonly maxAbsolute: number;
  readonly maxRelative: number;
  /** Elements that are not alike, and the first of them in words. */
  readonly unlike: number;
  readonly first: string;
}

function compareValues(reference: Tensor, found: Tensor, tolerance: OutputTolerance): Difference {
  const asValue = reference.type === 'float16' ? halfOf : (element: Element) => element;
  let equalBits = true;
  let maxAbsolute = 0;
  let maxRelative = 0;
  let unlike = 0;
  let first = '';
  for (let i = 0; i < reference.data.length; i++) {
    if (Object.is(reference.data[i], found.data[i])) continue;
    equalBits = false;
    const [a, b] = [asValue(reference.data[i]), asValue(found.data[i])];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    const difference = finiteDifference(a, b);
    if (difference !== null) {
      const { absolute, scale } = difference;
      maxAbsolute = Math.max(maxAbsolute, absolute);
      if (scale > 0) maxRelative = Math.max(maxRelative, absolute / scale);
      if (absolute <= tolerance.absolute + tolerance.relative * scale) continue;
    }
    if (unlike === 0) first = `${i}: ${shown(b)} instead of ${shown(a)}`;
    unlike += 1;
  }
  return { equalBits, maxAbsolute, maxRelative, unlike, first };
}

type Element = number | bigint | string | undefined;

/** |found - reference| and |reference|; null for texts, and where either is not finite. */
function finiteDifference(reference: Element, found: Element): { absolute: number; scale: number } | null {
  if (typeof reference === 'bigint' && typeof found === 'bigint') {
    // The difference of large whole numbers is taken before they lose digits.
    return { absolute: Math.abs(Number(found - reference)), scale: Math.abs(Number(reference)) };
  }
  if (typeof reference !== 'number' || typeof found !== 'number') return null;
  const absolute = Math.abs(found - reference);
  return Number.isFinite(absolute) ? { absolute, scale: Math.abs(reference) } : null;
}

function halfOf(bits: Element): number {
  return typeof bits === 'number' ? decodeFloat16(bits) : Number.NaN;
}

function shown(value: Element): string {
  return typeof value === 'string' ? JSON.stringify(value) : `${value}`;
}
