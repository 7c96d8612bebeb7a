import type { NamedTensors } from '../../core/tensor.ts';
import type { ObservedGram } from './observe-grams.ts';

/** The Gram matrix of a layer's input, summed over runs. */
export interface GramSums {
  /** [groups, columns, columns]. */
  readonly gram: Float64Array;
  /** Of how many columns of values it is the sum. */
  positions: number;
}

export function createGramSums({ layer: { groups, columns } }: ObservedGram): GramSums {
  return { gram: new Float64Array(groups * columns * columns), positions: 0 };
}

/** Adds the outputs of one run. @returns false when a sum is NaN or infinite; the sums are spoilt then */
export function addGram(sums: GramSums, observed: ObservedGram, outputs: NamedTensors): boolean {
  const shape = outputs[observed.shapeOutput]?.data as BigInt64Array;
  const values = outputs[observed.gramOutput]?.data as Float32Array;
  sums.positions += Number(shape[0]) * Number(shape[3]);
  const { gram } = sums;
  let check = 0;
  for (let i = 0; i < gram.length; i++) {
    const value = values[i] as number;
    // Zero times a finite number adds nothing; times NaN or infinity it makes the sum NaN for good.
    check += value * 0;
    gram[i] = (gram[i] as number) + value;
  }
  return check === 0;
}
