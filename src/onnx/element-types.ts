import { elementTypeRule } from './element-type-rules.ts';
import type { GraphProto, ModelProto, ValueInfoProto } from './messages.ts';

/** Element types (values of DATA_TYPE) by tensor name. A tensor whose type is not known for sure is absent. */
export type ElementTypes = ReadonlyMap<string, number>;

/** The element types of the tensors of the model's top-level graph. */
export function inferElementTypes(model: ModelProto): ElementTypes {
  return model.graph === undefined ? new Map() : inferGraphElementTypes(model.graph);
}

/**
 * The element types of one graph's tensors: what initializers, inputs, outputs and value_info declare, and from
 * there on what the operators' definitions say. Nothing is guessed: the outputs of operators of other domains and of
 * model-local functions stay unknown, and so does what depends on them.
 *
 * @param outer types of the graphs around this one, which a body may read. The result holds them too.
 */
export function inferGraphElementTypes(graph: GraphProto, outer: ElementTypes = new Map()): ElementTypes {
  const types = new Map(outer);
  for (const value of [...graph.valueInfo, ...graph.output, ...graph.input]) declare(types, value);
  for (const tensor of [...graph.initializer, ...graph.sparseInitializer.map((sparse) => sparse.values)]) {
    if (tensor?.name !== undefined && tensor.dataType) types.set(tensor.name, tensor.dataType);
  }
  const inferBody = (body: GraphProto) => {
    const inner = inferGraphElementTypes(body, types);
    return body.output.map((value) => (value.name === undefined ? undefined : inner.get(value.name)));
  };
  for (const node of graph.node) {
    if (node.output.every((name) => name === '' || types.has(name))) continue;
    const outputTypes = elementTypeRule(node)?.({
      node,
      inputType: (index) => types.get(node.input[index] ?? ''),
      inferBody,
    });
    node.output.forEach((name, index) => {
      const type = outputTypes?.[index];
      if (name !== '' && type !== undefined && !types.has(name)) types.set(name, type);
    });
  }
  return types;
}

function declare(types: Map<string, number>, value: ValueInfoProto): void {
  const type = value.type?.tensorType?.elemType ?? value.type?.sparseTensorType?.elemType;
  if (value.name !== undefined && type) types.set(value.name, type);
}
