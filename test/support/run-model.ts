import { InferenceSession, Tensor } from 'onnxruntime-node';
import { decodeFloat16, encodeFloat16 } from '../../src/core/float16.ts';
import { encodeModel, type OnnxModel } from '../../src/onnx/model-file.ts';
import { unwrap } from './unwrap.ts';

export type Feeds = Readonly<Record<string, Tensor>>;

export function floatFeed(dims: readonly number[], data: readonly number[]): Tensor {
  return new Tensor('float32', Float32Array.from(data), dims);
}

/** A float16 feed as every version of Node.js can give it: see `toOrt` of the runtime room. */
export function float16Feed(dims: readonly number[], data: ArrayLike<number>): Tensor {
  const bits = Uint16Array.from(data, encodeFloat16);
  return Object.assign(new Tensor('uint16', bits, dims), { type: 'float16' as const }) as Tensor;
}

/** The values of a float16 tensor, which newer versions of Node.js give as a Float16Array instead of as bits. */
export function float16Values(tensor: Tensor | undefined): readonly number[] {
  const data = tensor?.data as ArrayLike<number>;
  return data instanceof Uint16Array ? Array.from(data, decodeFloat16) : Array.from(data);
}

/** A float32 feed of distinct values between -3 and 3, without a regular pattern. */
export function wavyFeed(...dims: readonly number[]): Tensor {
  const count = dims.reduce((product, dim) => product * dim, 1);
  return floatFeed(
    dims,
    Array.from({ length: count }, (_, index) => 3 * Math.sin(index * 1.7 + 0.3)),
  );
}

/** Runs a model once in ONNX Runtime on the CPU; by default its graph as written, without optimizations. */
export async function runModel(
  model: OnnxModel,
  feeds: Feeds,
  graphOptimizationLevel: 'disabled' | 'all' = 'disabled',
): Promise<Readonly<Record<string, Tensor>>> {
  const bytes = unwrap(encodeModel(model));
  const session = await InferenceSession.create(bytes, {
    graphOptimizationLevel,
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}
