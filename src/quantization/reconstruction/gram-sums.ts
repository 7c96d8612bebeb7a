import type { NamedTensors } from '../../core/tensor.ts';
import type { MatrixProduct } from './matrix-product.ts';
import type { ObservedGram } from './observe-grams.ts';

/** The Gram matrix of a layer's input, summed over runs. */
export interface GramSums {
  /** [groups, columns, columns]. */
  readonly gram: Float64Array;
  /** Of how many columns of values it is the sum. */
  positions: number;
}

/** Sums up what a model tells of one layer. */
export interface GramCollector {
  /** Adds the outputs of one run. @returns false when a sum is NaN or infinite; the sums are spoilt then */
  add(outputs: NamedTensors): Promise<boolean>;
  /** Adds what is still to be added. @returns as `add` */
  finish(): Promise<boolean>;
  readonly sums: GramSums;
}

/** Columns that wait to be multiplied, as a share of their length: they then take about as much room as the matrix of sums. */
const MOST_WAITING = 2;

/** @param multiply for layers of which the columns come out: those of several runs are multiplied at once */
export function createGramCollector(observed: ObservedGram, multiply: MatrixProduct): GramCollector {
  const { groups, columns } = observed.layer;
  const sums: GramSums = { gram: new Float64Array(groups * columns * columns), positions: 0 };
  let waiting: Float32Array[] = [];
  let waitingPositions = 0;
  const multiplyWaiting = async () => {
    if (waitingPositions === 0) return true;
    const rows = joined(waiting, waitingPositions * columns);
    const size = { rows: columns, inner: waitingPositions, columns, isTransposed: true };
    waiting = [];
    waitingPositions = 0;
    return addInto(sums.gram, await multiply(rows, rows, size));
  };
  return {
    sums,
    add: async (outputs) => {
      const shape = outputs[observed.shapeOutput]?.data as BigInt64Array;
      const values = outputs[observed.valuesOutput]?.data as Float32Array;
      const positions = Number(shape[0]) * Number(shape[3]);
      sums.positions += positions;
      if (!observed.asColumns) return addInto(sums.gram, values);
      waiting.push(values);
      waitingPositions += positions;
      return waitingPositions < MOST_WAITING * columns || (await multiplyWaiting());
    },
    finish: multiplyWaiting,
  };
}

/** Rows of several runs as one matrix. */
function joined(runs: readonly Float32Array[], length: number): Float32Array {
  const [first] = runs;
  if (first !== undefined && runs.length === 1) return first;
  const rows = new Float32Array(length);
  let at = 0;
  for (const run of runs) {
    rows.set(run, at);
    at += run.length;
  }
  return rows;
}

function addInto(gram: Float64Array, values: Float32Array): boolean {
  let check = 0;
  for (let i = 0; i < gram.length; i++) {
    const value = values[i] as number;
    // Zero times a finite number adds nothing; times NaN or infinity it makes the sum NaN for good.
    check += value * 0;
    gram[i] = (gram[i] as number) + value;
  }
  return check === 0;
}
