import type { NamedTensors, NumericArray, Tensor } from '../core/tensor.ts';
import { elementCount } from '../core/tensor.ts';
import type { CarriedState } from '../data/carried-state.ts';
import { initialStates } from '../data/initial-states.ts';
import type { ModelPort } from '../runtime/session.ts';
import { unwrap } from './unwrap.ts';

/**
 * Inputs made up to see that a model runs: floats spread evenly over −1…1, zeros for everything else (an index of 0 is
 * the one that most often exists), 1 for every free dimension; for carried states what a sequence starts with.
 * Undefined for string inputs. Throws `ProblemError` where the model does not have the states.
 */
export function generateFeeds(
  ports: readonly ModelPort[],
  { states, modelOutputs }: CarriedStates = { states: [], modelOutputs: [] },
): NamedTensors | undefined {
  const feeds: [string, Tensor][] = [];
  for (const { name, type, dims } of ports) {
    if (states.some(({ input }) => input === name)) continue;
    const sizes = dims.map((dim) => (typeof dim === 'number' && dim > 0 ? dim : 1));
    const data = generate(type, elementCount(sizes));
    if (data === undefined) return undefined;
    feeds.push([name, { type, dims: sizes, data }]);
  }
  const fed = feeds.map(([name, { dims }]) => ({ name, dims }));
  const zeros = unwrap(initialStates({ states, modelInputs: ports, modelOutputs, fed }));
  return { ...Object.fromEntries(feeds), ...zeros };
}

interface CarriedStates {
  readonly states: readonly CarriedState[];
  readonly modelOutputs: readonly ModelPort[];
}

function generate(type: ModelPort['type'], count: number): NumericArray | undefined {
  switch (type) {
    case 'float32':
      return Float32Array.from({ length: count }, (_, i) => spread(i));
    case 'float64':
      return Float64Array.from({ length: count }, (_, i) => spread(i));
    case 'float16':
    case 'uint16':
      return new Uint16Array(count);
    case 'int8':
      return new Int8Array(count);
    case 'uint8':
    case 'bool':
      return new Uint8Array(count);
    case 'int16':
      return new Int16Array(count);
    case 'int32':
      return new Int32Array(count);
    case 'uint32':
      return new Uint32Array(count);
    case 'int64':
      return new BigInt64Array(count);
    case 'uint64':
      return new BigUint64Array(count);
    case 'string':
      return undefined;
  }
}

/** Multiples of the golden ratio, taken modulo 1, fill an interval evenly without repeating. */
function spread(index: number): number {
  return 2 * ((index * 0.6180339887498949) % 1) - 1;
}
