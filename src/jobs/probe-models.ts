import { encodeFloat16 } from '../core/float16.ts';
import { elementCount } from '../core/tensor.ts';
import { formatBytes } from '../core/units.ts';
import { emptyAttribute, intAttributeProto } from '../onnx/attributes.ts';
import { makeNode } from '../onnx/make-node.ts';
import {
  ATTRIBUTE_TYPE,
  type AttributeProto,
  DATA_TYPE,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from '../onnx/messages.ts';
import type { OnnxModel } from '../onnx/model-file.ts';
import { tensorFrom } from '../onnx/tensor-data.ts';

/** A model whose kernels of one operator show how fast a host can be, with the input `PROBE_INPUT`. */
export interface ProbeModel {
  /** For people. */
  readonly name: string;
  readonly model: OnnxModel;
  readonly op: string;
  /** Element type of the operator's first input, as a profile writes it: with another, the runtime has converted it. */
  readonly inputType: ProbedType;
  /** Of one call: arithmetic operations, or 0 where the operator is there to move data. */
  readonly operations: number;
  /** Of one call: bytes read and written, or 0 where the operator is there to compute. */
  readonly bytes: number;
}

/** One float32 without dimensions: all data is made of it inside the model, so that nothing large is carried in. */
export const PROBE_INPUT = 'seed';

/** How large a product of matrices is: (rows × inner) · (inner × inner). */
export interface ProductSize {
  readonly rows: number;
  readonly inner: number;
}

type ProbedType = 'float' | 'float16' | 'uint8';

/** A product of floats. The second matrix is a weight, which kernels may bring into a layout of their own beforehand. */
export function floatProduct({ rows, inner }: ProductSize, type: 'float' | 'float16'): ProbeModel {
  return probe({
    size: `${rows}×${inner}×${inner}`,
    inputType: type,
    shape: [rows, inner],
    kernels: [makeNode('MatMul', { name: 'probe', input: ['data', 'weight'], output: ['result'] })],
    weights: [weight('weight', type, [inner, inner])],
    operations: 2 * rows * inner * inner,
  });
}

/** A product of codes, unsigned with signed 8-bit integers, which x86 processors multiply fastest; its sums are int32. */
export function integerProduct({ rows, inner }: ProductSize): ProbeModel {
  return probe({
    size: `${rows}×${inner}×${inner}`,
    inputType: 'uint8',
    shape: [rows, inner],
    kernels: [makeNode('MatMulInteger', { name: 'probe', input: ['data', 'weight'], output: ['result'] })],
    weights: [weight('weight', 'int8', [inner, inner])],
    resultType: 'int32',
    operations: 2 * rows * inner * inner,
  });
}

/** As `integerProduct`, with the sums brought back to codes. */
export function quantizedProduct({ rows, inner }: ProductSize): ProbeModel {
  const input = ['data', 'scale', 'zero', 'weight', 'scale', 'weight_zero', 'scale', 'zero'];
  return probe({
    size: `${rows}×${inner}×${inner}`,
    inputType: 'uint8',
    shape: [rows, inner],
    kernels: [makeNode('QLinearMatMul', { name: 'probe', input, output: ['result'] })],
    weights: [
      weight('weight', 'int8', [inner, inner]),
      weight('scale', 'float', []),
      weight('zero', 'uint8', []),
      weight('weight_zero', 'int8', []),
    ],
    operations: 2 * rows * inner * inner,
  });
}

/** Width and height of a convolution's pictures, and of its kernel. */
const SIDE = 28;
const KERNEL = 3;

/** A convolution of floats with as many channels in as out. */
export function floatConvolution(pictures: number, channels: number): ProbeModel {
  const attribute = [integers('kernel_shape', [KERNEL, KERNEL]), integers('pads', [1, 1, 1, 1])];
  return probe({
    size: `${pictures}×${channels}×${SIDE}×${SIDE}, ${KERNEL}×${KERNEL}`,
    inputType: 'float',
    shape: [pictures, channels, SIDE, SIDE],
    kernels: [makeNode('Conv', { name: 'probe', input: ['data', 'weight'], output: ['result'], attribute })],
    weights: [weight('weight', 'float', [channels, channels, KERNEL, KERNEL])],
    operations: 2 * pictures * SIDE ** 2 * channels ** 2 * KERNEL ** 2,
  });
}

/** Few, as the buffer has to be filled for them first; several, as the filling is no part of them. */
const RELUS = 6;

/**
 * Reads and writes one buffer again and again: Relus, each in place on the result of the one before. No other operator moved
 * more bytes a second when they were compared: those with a result of their own make the processor fetch that too.
 */
export function inPlaceRelus(bufferBytes: number): ProbeModel {
  const elements = Math.floor(bufferBytes / Float32Array.BYTES_PER_ELEMENT);
  const kernels = Array.from({ length: RELUS }, (_, index) =>
    makeNode('Relu', {
      name: `relu_${index}`,
      input: [index === 0 ? 'data' : `relu_${index - 1}`],
      output: [index === RELUS - 1 ? 'result' : `relu_${index}`],
    }),
  );
  const bytes = elements * Float32Array.BYTES_PER_ELEMENT;
  return probe({
    size: `in place, ${formatBytes(bytes)}`,
    inputType: 'float',
    shape: [elements],
    kernels,
    bytes: 2 * bytes,
  });
}

interface Parts {
  readonly size: string;
  readonly inputType: ProbedType;
  /** Of `data`. */
  readonly shape: readonly number[];
  /** From `data` to `result`, which has as many dimensions; all of one operator. */
  readonly kernels: readonly NodeProto[];
  readonly weights?: readonly TensorProto[];
  readonly resultType?: 'int32';
  readonly operations?: number;
  readonly bytes?: number;
}

function probe(parts: Parts): ProbeModel {
  const { size, inputType, shape, kernels, weights = [], resultType = inputType } = parts;
  const op = kernels[0]?.opType as string;
  const fill = [
    makeNode('Cast', {
      name: 'cast',
      input: [PROBE_INPUT],
      output: ['element'],
      attribute: [intAttributeProto('to', DATA_TYPE[inputType])],
    }),
    makeNode('Expand', { name: 'fill', input: ['element', 'shape'], output: ['data'] }),
  ];
  // Of the result one element is taken, as all of it would have to be carried out.
  const take = shape.map((_, axis) =>
    makeNode('Gather', {
      name: `take_${axis}`,
      input: [axis === 0 ? 'result' : `taken_${axis - 1}`, 'zeroth'],
      output: [axis === shape.length - 1 ? 'taken' : `taken_${axis}`],
    }),
  );
  return {
    name: `${op} ${size}`,
    op,
    inputType,
    operations: parts.operations ?? 0,
    bytes: parts.bytes ?? 0,
    model: {
      path: undefined,
      proto: {
        irVersion: 8,
        opsetImport: [{ domain: '', version: 13 }],
        graph: {
          name: 'probe',
          node: [...fill, ...kernels, ...take],
          initializer: [
            ...weights,
            tensorFrom('shape', [shape.length], BigInt64Array.from(shape, BigInt)),
            tensorFrom('zeroth', [], BigInt64Array.of(0n)),
          ],
          sparseInitializer: [],
          input: [scalar(PROBE_INPUT, 'float')],
          output: [scalar('taken', resultType)],
          valueInfo: [],
          quantizationAnnotation: [],
          metadataProps: [],
        },
        metadataProps: [],
        trainingInfo: [],
        functions: [],
        configuration: [],
      },
    },
  };
}

type StoredType = ProbedType | 'int8';

/** A constant of ones: what a product takes does not depend on its numbers. */
function weight(name: string, type: StoredType, dims: readonly number[]): TensorProto {
  return tensorFrom(name, dims, ones(type, elementCount(dims)), DATA_TYPE[type]);
}

function ones(type: StoredType, count: number): Float32Array | Uint16Array | Uint8Array {
  if (type === 'float') return new Float32Array(count).fill(1);
  if (type === 'float16') return new Uint16Array(count).fill(encodeFloat16(1));
  return new Uint8Array(count).fill(1);
}

function scalar(name: string, type: keyof typeof DATA_TYPE): ValueInfoProto {
  return {
    name,
    type: { tensorType: { elemType: DATA_TYPE[type], shape: { dim: [] } } },
    metadataProps: [],
  };
}

function integers(name: string, values: readonly number[]): AttributeProto {
  return { ...emptyAttribute(name, ATTRIBUTE_TYPE.ints), ints: values.map(BigInt) };
}
