import { intAttribute } from '../../onnx/attributes.ts';
import type { NodeProto } from '../../onnx/messages.ts';
import { over } from './tensor-statistics.ts';

/** Weights of the float32 model with the channels scaled as those of the quantized model seem to be. */
export interface ChannelFit {
  readonly values: Float32Array;
  /** Energy of what still differs, over that of the weights of the quantized model. */
  readonly noise: number;
}

const ROUNDS = 40;

/**
 * Equalization multiplies channels of what makes a tensor and divides those of what reads it, so that the float32 model computes what it
 * did. Finds for each output and each input channel of a weight the factor that makes `float` most like `coded`, by least squares, one
 * side after the other. Errors of rounding cancel in them but for one part in as many as a channel has weights.
 * Undefined for operators whose weights have no such channels.
 * @param dims of both
 */
export function fitChannels(
  node: NodeProto,
  coded: Float32Array,
  float: Float32Array,
  dims: readonly number[],
): ChannelFit | undefined {
  const channels = channelsOf(node, dims);
  if (channels === undefined) return undefined;
  const { outputs, inputs, outputOf, inputOf } = channels;
  const up = new Float64Array(outputs).fill(1);
  const down = new Float64Array(inputs).fill(1);
  const refit = (
    factors: Float64Array,
    placeOf: (element: number) => number,
    others: Float64Array,
    otherOf: (element: number) => number,
  ) => {
    const product = new Float64Array(factors.length);
    const energy = new Float64Array(factors.length);
    for (let i = 0; i < float.length; i++) {
      const scaled = (float[i] as number) * (others[otherOf(i)] as number);
      const place = placeOf(i);
      product[place] = (product[place] as number) + scaled * (coded[i] as number);
      energy[place] = (energy[place] as number) + scaled * scaled;
    }
    for (let place = 0; place < factors.length; place++) {
      const fitted = (product[place] as number) / (energy[place] as number);
      // What is always 0 says nothing, and scales are positive.
      factors[place] = fitted > 0 ? fitted : 1;
    }
  };
  for (let round = 0; round < ROUNDS; round++) {
    refit(up, outputOf, down, inputOf);
    refit(down, inputOf, up, outputOf);
  }
  const values = new Float32Array(float.length);
  let noise = 0;
  let signal = 0;
  for (let i = 0; i < values.length; i++) {
    values[i] = (float[i] as number) * (up[outputOf(i)] as number) * (down[inputOf(i)] as number);
    noise += ((coded[i] as number) - (values[i] as number)) ** 2;
    signal += (coded[i] as number) ** 2;
  }
  return { values, noise: over(noise, signal) };
}

interface Channels {
  readonly outputs: number;
  readonly inputs: number;
  readonly outputOf: (element: number) => number;
  readonly inputOf: (element: number) => number;
}

function channelsOf(node: NodeProto, dims: readonly number[]): Channels | undefined {
  const { opType } = node;
  if (opType === 'Conv') {
    const [outputs = 1, inGroup = 1, ...kernel] = dims;
    const size = kernel.reduce((product, dim) => product * dim, 1);
    const groups = intAttribute(node, 'group') ?? 1;
    const outputOf = (element: number) => Math.floor(element / (size * inGroup));
    return {
      outputs,
      inputs: inGroup * groups,
      outputOf,
      inputOf: (element) =>
        Math.floor((outputOf(element) * groups) / outputs) * inGroup + (Math.floor(element / size) % inGroup),
    };
  }
  if ((opType !== 'MatMul' && opType !== 'Gemm') || dims.length !== 2) return undefined;
  const [rows = 1, columns = 1] = dims;
  const row = (element: number) => Math.floor(element / columns);
  const column = (element: number) => element % columns;
  return opType === 'Gemm' && intAttribute(node, 'transB') === 1
    ? { outputs: rows, inputs: columns, outputOf: row, inputOf: column }
    : { outputs: columns, inputs: rows, outputOf: column, inputOf: row };
}
