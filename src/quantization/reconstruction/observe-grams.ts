import { intAttributeProto } from '../../onnx/attributes.ts';
import { DATA_TYPE, type GraphProto } from '../../onnx/messages.ts';
import type { NameScope } from '../../onnx/name-scope.ts';
import type { ProductLayer } from './product-layer.ts';
import { type Additions, addIntegers, addNode, intsAttribute, unfoldInput } from './unfold-input.ts';

/** Where the Gram matrix of a layer's input comes out of a model. */
export interface ObservedGram {
  readonly layer: ProductLayer;
  /**
   * float32 [groups, columns, columns]: xᵀ·x of the columns x that the weights are multiplied with, summed over a run; or,
   * `asColumns`, those columns themselves, [batch, 1, positions, columns].
   */
  readonly valuesOutput: string;
  readonly asColumns: boolean;
  /** int64 [4], whose first element times its last is the number of positions of the run. */
  readonly shapeOutput: string;
}

/** A layer, and the tensor that is to be seen as its input. */
export interface LayerInput {
  readonly layer: ProductLayer;
  readonly input: string;
  /** As `unfoldInput` takes it; all positions where it is absent. */
  readonly everyOther?: readonly number[];
  /** About how many positions a run has, where that is known. */
  readonly positions?: number;
}

/**
 * Adds outputs to `graph` that hold the Gram matrices of layer inputs. They are computed inside of the graph, by the
 * runtime's own matrix products: what comes out does not grow with the size of feature maps. Where a run has fewer positions
 * than a column is long, the columns themselves are less, and those of several runs can be multiplied at once.
 */
export function observeGrams(
  graph: GraphProto,
  inputs: readonly LayerInput[],
  names: NameScope,
): readonly ObservedGram[] {
  const additions: Additions = { nodes: [], initializers: [], names };
  const observed = inputs.map(
    ({ layer, input, everyOther, positions = Number.POSITIVE_INFINITY }): ObservedGram => {
      const unfolded = unfoldInput(layer, asFloat(input, layer, additions), additions, everyOther);
      const transposed = addNode('Transpose', [unfolded], additions, [intsAttribute('perm', [0, 1, 3, 2])]);
      const asColumns = layer.groups === 1 && positions < layer.columns;
      const summed = () =>
        addNode(
          'ReduceSum',
          [addNode('MatMul', [unfolded, transposed], additions), addIntegers([0], additions)],
          additions,
          [intAttributeProto('keepdims', 0)],
        );
      const valuesOutput = asColumns ? transposed : summed();
      return { layer, valuesOutput, asColumns, shapeOutput: addNode('Shape', [unfolded], additions) };
    },
  );
  graph.node.push(...additions.nodes);
  graph.initializer.push(...additions.initializers);
  for (const { valuesOutput, shapeOutput } of observed) {
    graph.output.push({ name: valuesOutput, metadataProps: [] }, { name: shapeOutput, metadataProps: [] });
  }
  return observed;
}

/** Sums of many products would overflow in half precision. */
function asFloat(tensor: string, { weights }: ProductLayer, additions: Additions): string {
  return weights.dataType === DATA_TYPE.float
    ? tensor
    : addNode('Cast', [tensor], additions, [intAttributeProto('to', DATA_TYPE.float)]);
}
