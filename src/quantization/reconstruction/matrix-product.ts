import { ProblemError } from '../../core/problem.ts';
import { intAttributeProto } from '../../onnx/attributes.ts';
import { makeNode } from '../../onnx/make-node.ts';
import { DATA_TYPE, type ValueInfoProto } from '../../onnx/messages.ts';
import type { OnnxModel } from '../../onnx/model-file.ts';
import type { OpenedModel, OpenModel } from '../../onnx/open-model.ts';

/** The product of a [rows, inner] and a [inner, columns] matrix. */
export interface ProductSize {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  /** The first matrix lies transposed in memory: [inner, rows]. */
  readonly isTransposed?: boolean;
}

/** Multiplies matrices, row by row in memory. Throws `ProblemError`: what the runtime reports. */
export type MatrixProduct = (a: Float32Array, b: Float32Array, size: ProductSize) => Promise<Float32Array>;

/** Fewer multiplications are done before the runtime has been asked. */
const WORTH_ASKING = 2 ** 16;

/**
 * Large products by the runtime, whose kernels use the whole width of the processor: tens of times as fast as a loop here. It
 * is loaded when the first is asked for.
 */
export function runtimeProduct(
  open: OpenModel,
  worthAsking = WORTH_ASKING,
): { readonly multiply: MatrixProduct; close(): Promise<void> } {
  const opened = new Map<boolean, Promise<OpenedModel>>();
  const openProduct = async (isTransposed: boolean) => {
    const model = await open(productModel(isTransposed));
    if (!model.ok) throw new ProblemError(model.error);
    return model.value;
  };
  // Of models that are opened there is one at a time.
  let last: Promise<unknown> = Promise.resolve();
  const productOf = (isTransposed: boolean): Promise<OpenedModel> => {
    const known = opened.get(isTransposed);
    if (known !== undefined) return known;
    const opening = last.then(() => openProduct(isTransposed));
    last = opening.catch(() => {});
    opened.set(isTransposed, opening);
    return opening;
  };
  return {
    multiply: async (a, b, size) => {
      const { rows, inner, columns, isTransposed = false } = size;
      if (rows * inner * columns < worthAsking) return multiplyHere(a, b, size);
      const { run } = await productOf(isTransposed);
      const { product } = await run({
        a: { type: 'float32', dims: isTransposed ? [inner, rows] : [rows, inner], data: a },
        b: { type: 'float32', dims: [inner, columns], data: b },
      });
      return product?.data as Float32Array;
    },
    close: async () => {
      for (const model of opened.values()) await (await model).close();
    },
  };
}

/** A product without a runtime. */
export async function multiplyHere(
  a: Float32Array,
  b: Float32Array,
  { rows, inner, columns, isTransposed = false }: ProductSize,
): Promise<Float32Array> {
  const [rowStride, innerStride] = isTransposed ? [1, rows] : [inner, 1];
  const product = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    for (let k = 0; k < inner; k++) {
      const factor = a[row * rowStride + k * innerStride] as number;
      const from = k * columns;
      for (let column = 0; column < columns; column++) {
        product[at + column] = (product[at + column] as number) + factor * (b[from + column] as number);
      }
    }
  }
  return product;
}

function productModel(isTransposed: boolean): OnnxModel {
  const matrix = (name: string, dims: readonly string[]): ValueInfoProto => ({
    name,
    type: {
      tensorType: {
        elemType: DATA_TYPE.float,
        shape: { dim: dims.map((dimParam) => ({ dimParam })) },
      },
    },
    metadataProps: [],
  });
  return {
    path: '',
    proto: {
      irVersion: 8,
      opsetImport: [{ domain: '', version: 13 }],
      graph: {
        name: 'product',
        node: [
          makeNode('Gemm', {
            name: 'product',
            input: ['a', 'b'],
            output: ['product'],
            attribute: [intAttributeProto('transA', isTransposed ? 1 : 0)],
          }),
        ],
        initializer: [],
        sparseInitializer: [],
        quantizationAnnotation: [],
        metadataProps: [],
        valueInfo: [],
        input: [
          matrix('a', isTransposed ? ['inner', 'rows'] : ['rows', 'inner']),
          matrix('b', ['inner', 'columns']),
        ],
        output: [matrix('product', ['rows', 'columns'])],
      },
      metadataProps: [],
      trainingInfo: [],
      functions: [],
      configuration: [],
    },
  };
}
