import type { NamedTensors } from '../../core/tensor.ts';

/** Sums up how far outputs are from those of the original. */
export interface OutputError {
  add(reference: NamedTensors, candidate: NamedTensors): void;
  /**
   * SQNR in dB over all samples, 10·log10(signal / noise); of several outputs the mean of noise over signal counts, so that
   * none drowns another. Infinite where nothing differs, −∞ where an output of the candidate is not finite.
   */
  sqnrDb(): number;
}

/** Looks at float32 outputs alone. */
export function createOutputError(): OutputError {
  const sums = new Map<string, { signal: number; noise: number }>();
  return {
    add: (reference, candidate) => {
      for (const [name, { data }] of Object.entries(reference)) {
        const other = candidate[name]?.data;
        if (!(data instanceof Float32Array) || !(other instanceof Float32Array)) continue;
        const sum = sums.get(name) ?? { signal: 0, noise: 0 };
        for (let i = 0; i < data.length; i++) {
          const value = data[i] as number;
          sum.signal += value * value;
          sum.noise += (value - (other[i] ?? Number.NaN)) ** 2;
        }
        sums.set(name, sum);
      }
    },
    sqnrDb: () => {
      const ratios = [...sums.values()]
        .filter(({ signal }) => signal > 0)
        .map(({ signal, noise }) => noise / signal);
      if (ratios.some((ratio) => !Number.isFinite(ratio))) return Number.NEGATIVE_INFINITY;
      const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
      return mean === 0 || ratios.length === 0 ? Number.POSITIVE_INFINITY : -10 * Math.log10(mean);
    },
  };
}
