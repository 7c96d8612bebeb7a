import type { NamedTensors } from '../../core/tensor.ts';

/** How far outputs are from those of the original, sample by sample. */
export interface OutputError {
  add(reference: NamedTensors, candidate: NamedTensors): void;
  /**
   * SQNR in dB over all samples, 10·log10(signal / noise); of several outputs the mean of noise over signal counts, so that
   * none drowns another. Infinite where nothing differs, −∞ where an output of the candidate is not finite.
   */
  sqnrDb(): number;
  /** What each sample adds to the noise over signal of all: their sum is what `sqnrDb` tells. */
  shares(): readonly number[];
}

interface OutputSums {
  signal: number;
  /** Of each sample. */
  readonly noise: number[];
}

/** Looks at float32 outputs alone. */
export function createOutputError(): OutputError {
  const sums = new Map<string, OutputSums>();
  let samples = 0;
  const shares = () => {
    const counted = [...sums.values()].filter(({ signal }) => signal > 0);
    return Array.from({ length: samples }, (_, sample) =>
      counted.reduce((sum, { signal, noise }) => sum + (noise[sample] ?? 0) / signal / counted.length, 0),
    );
  };
  return {
    add: (reference, candidate) => {
      for (const [name, { data }] of Object.entries(reference)) {
        const other = candidate[name]?.data;
        if (!(data instanceof Float32Array) || !(other instanceof Float32Array)) continue;
        const sum = sums.get(name) ?? { signal: 0, noise: [] };
        let noise = 0;
        for (let i = 0; i < data.length; i++) {
          const value = data[i] as number;
          sum.signal += value * value;
          noise += (value - (other[i] ?? Number.NaN)) ** 2;
        }
        sum.noise[samples] = noise;
        sums.set(name, sum);
      }
      samples += 1;
    },
    sqnrDb: () => {
      const ratio = shares().reduce((sum, share) => sum + share, 0);
      if (!Number.isFinite(ratio)) return Number.NEGATIVE_INFINITY;
      return ratio === 0 ? Number.POSITIVE_INFINITY : -10 * Math.log10(ratio);
    },
    shares,
  };
}
