import { intAttribute, intsAttribute, stringAttribute } from '../../onnx/attributes.ts';
import { isDefaultDomain } from '../../onnx/make-node.ts';
import type { NodeProto, ValueInfoProto } from '../../onnx/messages.ts';
import type { GraphView } from '../graph-view.ts';

/** Operators that keep the shape of their first input, as far as a feature map goes. */
const KEEPS_FEATURE_MAP: ReadonlySet<string> = new Set([
  'Relu',
  'Clip',
  'Add',
  'Mul',
  'Concat',
  'Sigmoid',
  'LeakyRelu',
  'BatchNormalization',
]);

/** The size of each spatial axis; undefined where it is not known. */
export type SpatialSizes = readonly (number | undefined)[];

/**
 * Tensors known to have the shape [N, C, spatial…], with the sizes of their spatial axes, from the operators they come
 * from. An elementwise result counts when its first input does: broadcasting can add no axis in front of a feature map's
 * own without making the later convolution invalid.
 */
export function findFeatureMaps({ graph, index }: GraphView): ReadonlyMap<string, SpatialSizes> {
  const inputs = new Map(graph.input.map((value) => [value.name ?? '', declaredSizes(value)]));
  const found = new Map<string, SpatialSizes>();
  for (const node of graph.node) {
    const output = node.output[0] ?? '';
    if (output === '' || !isDefaultDomain(node.domain)) continue;
    const first = node.input[0] ?? '';
    const sizes = KEEPS_FEATURE_MAP.has(node.opType ?? '')
      ? keptSizes(node, found.get(first))
      : sizesAfter(
          node,
          found.get(first) ?? inputs.get(first),
          index.initializers.get(node.input[1] ?? '')?.dims,
        );
    if (sizes !== undefined) found.set(output, sizes);
  }
  return found;
}

/** What a graph input declares behind its first two axes. */
function declaredSizes({ type }: ValueInfoProto): SpatialSizes | undefined {
  const dims = type?.tensorType?.shape?.dim ?? [];
  if (dims.length < 3) return undefined;
  return dims.slice(2).map(({ dimValue = 0 }) => (dimValue > 0 ? dimValue : undefined));
}

/** Broadcasting may stretch an axis of size 1, and Concat lengthens its own axis. */
function keptSizes(node: NodeProto, before: SpatialSizes | undefined): SpatialSizes | undefined {
  const isLengthened = node.opType === 'Concat' && intAttribute(node, 'axis') !== 1;
  return before?.map((size) => (size === 1 || isLengthened ? undefined : size));
}

function sizesAfter(
  node: NodeProto,
  before: SpatialSizes | undefined,
  weightDims: readonly number[] | undefined,
): SpatialSizes | undefined {
  switch (node.opType) {
    case 'Conv':
      return weightDims && windowed(node, before, weightDims.slice(2));
    case 'ConvTranspose':
      return weightDims?.slice(2).map(() => undefined);
    case 'MaxPool':
    case 'AveragePool': {
      const kernel = intsAttribute(node, 'kernel_shape');
      return kernel && windowed(node, before, kernel);
    }
    case 'GlobalAveragePool':
      return before?.map(() => 1);
    default:
      return undefined;
  }
}

/** How often a window fits. Source: ONNX Conv-11 and MaxPool-12. */
function windowed(
  node: NodeProto,
  before: SpatialSizes | undefined,
  kernel: readonly number[],
): SpatialSizes {
  const autoPad = stringAttribute(node, 'auto_pad') ?? 'NOTSET';
  const strides = intsAttribute(node, 'strides');
  const dilations = intsAttribute(node, 'dilations');
  const pads = autoPad === 'NOTSET' ? intsAttribute(node, 'pads') : undefined;
  return kernel.map((length, axis) => {
    const size = before?.[axis];
    if (size === undefined) return undefined;
    const stride = strides?.[axis] ?? 1;
    if (autoPad.startsWith('SAME')) return Math.ceil(size / stride);
    const padded = size + (pads?.[axis] ?? 0) + (pads?.[axis + kernel.length] ?? 0);
    const steps = (padded - ((length - 1) * (dilations?.[axis] ?? 1) + 1)) / stride;
    return (intAttribute(node, 'ceil_mode') === 1 ? Math.ceil(steps) : Math.floor(steps)) + 1;
  });
}
