import type { KernelTime } from './kernel-times.ts';

/** What it takes to bring a tensor from float32 to codes or back, by how many elements it has. */
export type ConversionPrice = (elements: number) => number;

/** A kernel that does nothing takes about as long; the least that was measured counts where it is more. */
const SMALLEST_FIXED_NS = 500;
/** Quantizing on one core with AVX-512. Where no large tensor is converted, the measured times tell no slope. */
const SMALLEST_NS_PER_ELEMENT = 0.25;

/**
 * A fixed part and a part per element, by the conversions that a quantized model already has. Changes of the memory layout
 * come with them and are counted in.
 * @param conversions conversions of the quantized model, as `attributeKernels` finds them
 */
export function conversionPrice(conversions: readonly KernelTime[]): ConversionPrice {
  const typeChanges = conversions.filter(({ op }) => op === 'QuantizeLinear' || op === 'DequantizeLinear');
  const fixedNs = Math.max(SMALLEST_FIXED_NS, Math.min(...typeChanges.map(({ ns }) => ns), Number.MAX_VALUE));
  if (typeChanges.length === 0) {
    return (elements) => SMALLEST_FIXED_NS + SMALLEST_NS_PER_ELEMENT * elements;
  }
  const elements = typeChanges.reduce((sum, kernel) => sum + elementsOf(kernel), 0);
  const varyingNs = conversions.reduce((sum, { ns }) => sum + Math.max(0, ns - fixedNs), 0);
  const nsPerElement = Math.max(SMALLEST_NS_PER_ELEMENT, elements === 0 ? 0 : varyingNs / elements);
  return (count) => fixedNs + nsPerElement * count;
}

/** Codes have one byte and floats four. */
function elementsOf({ op, outputBytes }: KernelTime): number {
  return op === 'QuantizeLinear' ? outputBytes : outputBytes / 4;
}
