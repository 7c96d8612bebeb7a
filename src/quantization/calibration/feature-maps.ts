import { intsAttribute } from '../../onnx/attributes.ts';
import { isDefaultDomain } from '../../onnx/make-node.ts';
import type { NodeProto } from '../../onnx/messages.ts';
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
  'GlobalAveragePool',
]);

/**
 * Tensors known to have the shape [N, C, spatial…], with the number of their spatial axes, from the operators they come
 * from. An elementwise result counts when its first input does: broadcasting can add no axis in front of a feature map's
 * own without making the later convolution invalid.
 */
export function findFeatureMaps({ graph, index }: GraphView): ReadonlyMap<string, number> {
  const spatialAxes = new Map<string, number>();
  for (const node of graph.node) {
    const output = node.output[0] ?? '';
    if (output === '' || !isDefaultDomain(node.domain)) continue;
    const axes = KEEPS_FEATURE_MAP.has(node.opType ?? '')
      ? spatialAxes.get(node.input[0] ?? '')
      : ownSpatialAxes(node, index.initializers.get(node.input[1] ?? '')?.dims);
    if (axes !== undefined) spatialAxes.set(output, axes);
  }
  return spatialAxes;
}

function ownSpatialAxes(node: NodeProto, weightDims: readonly number[] | undefined): number | undefined {
  switch (node.opType) {
    case 'Conv':
    case 'ConvTranspose':
      return weightDims === undefined ? undefined : weightDims.length - 2;
    case 'MaxPool':
    case 'AveragePool':
      return intsAttribute(node, 'kernel_shape')?.length;
    default:
      return undefined;
  }
}
