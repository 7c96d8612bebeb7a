import { intAttribute } from '../attributes.ts';
import type { KnownShape } from '../known-shapes.ts';
import { isDefaultDomain } from '../make-node.ts';
import type { GraphProto, NodeProto } from '../messages.ts';
import type { OnnxModel } from '../model-file.ts';
import type { OpenModel } from '../open-model.ts';
import { runtimeShapes } from '../runtime-shapes.ts';
import { tensorFrom } from '../tensor-data.ts';
import type { ConstantPool } from './constant-pool.ts';

/**
 * Replaces Shape and Size nodes of tensors whose shape is known by initializers, and the Gather nodes that take known
 * dimensions out of a shape which is not known as a whole, such as that of a batch of any size. Shapes are what the
 * runtime infers from the inputs of the model; what the file says of inner tensors is not trusted, as exporters leave
 * shapes behind that only held for their example.
 */
export async function foldKnownShapes(
  model: OnnxModel,
  graph: GraphProto,
  pool: ConstantPool,
  open: OpenModel,
): Promise<void> {
  const readers = graph.node.filter((node) => readsShape(node) && !pool.isGraphOutput(node.output[0] ?? ''));
  if (readers.length === 0) return;
  const shapes = await runtimeShapes(model, graph, new Set(readers.map(({ input }) => input[0] ?? '')), open);
  const partly = new Map<string, KnownShape>();
  graph.node = graph.node.filter((node) => {
    const [name = ''] = node.output;
    const known = knownResult(node, shapes, partly, pool);
    if (known === undefined || pool.isGraphOutput(name)) return true;
    if (!isComplete(known.values)) {
      partly.set(name, known.values);
      return true;
    }
    pool.add(tensorFrom(name, known.dims, BigInt64Array.from(known.values, BigInt)));
    return false;
  });
}

interface KnownResult {
  readonly dims: readonly number[];
  readonly values: KnownShape;
}

function knownResult(
  node: NodeProto,
  shapes: ReadonlyMap<string, KnownShape>,
  partly: ReadonlyMap<string, KnownShape>,
  pool: ConstantPool,
): KnownResult | undefined {
  const [input = ''] = node.input;
  if (readsShape(node)) {
    const shape = shapes.get(input);
    if (shape === undefined) return undefined;
    if (node.opType === 'Shape') {
      const values = shape.slice(intAttribute(node, 'start'), intAttribute(node, 'end'));
      return { dims: [values.length], values };
    }
    const count = isComplete(shape) ? shape.reduce((product, dim) => product * dim, 1) : undefined;
    return count === undefined ? undefined : { dims: [], values: [count] };
  }
  const shape = partly.get(input);
  if (shape === undefined || node.opType !== 'Gather' || !isDefaultDomain(node.domain)) return undefined;
  const dims = pool.get(node.input[1] ?? '')?.dims;
  const values = pool.integers(node.input[1] ?? '')?.map((index) => shape.at(index));
  // A part of a shape that is itself known in part is not followed further.
  return dims === undefined || values === undefined || !isComplete(values) ? undefined : { dims, values };
}

function readsShape(node: NodeProto): boolean {
  return isDefaultDomain(node.domain) && (node.opType === 'Shape' || node.opType === 'Size');
}

function isComplete(values: KnownShape): values is readonly number[] {
  return values.every((value) => value !== undefined);
}
