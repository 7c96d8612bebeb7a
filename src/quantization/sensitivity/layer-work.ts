import { cloneMessage } from '../../onnx/clone-message.ts';
import { nodeLabel } from '../../onnx/make-node.ts';
import { createNameScope } from '../../onnx/name-scope.ts';
import { productLayer } from '../reconstruction/product-layer.ts';
import { type Additions, addNode } from '../reconstruction/unfold-input.ts';
import { anchorsOf } from '../tuning/anchor-constants.ts';
import type { Draft } from '../tuning/draft.ts';
import type { TuningTools } from '../tuning/tuning-pass.ts';

/** Multiplications of each layer of a draft in a run of one sample, by the node's name. */
export async function countLayerWork(
  draft: Draft,
  { learn }: Pick<TuningTools, 'learn'>,
): Promise<ReadonlyMap<string, number>> {
  const { model } = draft.view;
  const copy = { ...model, proto: cloneMessage(model.proto) };
  const { graph } = copy.proto;
  if (graph === undefined) return new Map();
  const additions: Additions = { nodes: [], initializers: [], names: createNameScope(graph) };
  const layers = anchorsOf(draft).map(({ node }) => ({
    name: nodeLabel(node),
    columns: productLayer(node, draft.view)?.columns ?? 1,
    shapeOutput: addNode('Shape', [node.output[0] ?? ''], additions),
  }));
  graph.node.push(...additions.nodes);
  graph.output.push(...layers.map(({ shapeOutput }) => ({ name: shapeOutput, metadataProps: [] })));
  const work = new Map<string, number>();
  for await (const { outputs } of learn(copy, 1)) {
    for (const { name, columns, shapeOutput } of layers) {
      const shape = outputs[shapeOutput]?.data as BigInt64Array;
      work.set(
        name,
        shape.reduce((product, dim) => product * Number(dim), columns),
      );
    }
  }
  return work;
}
