import { liftOpset } from '../../src/onnx/lift-opset/lift-opset.ts';
import type { GraphProto, NodeProto } from '../../src/onnx/messages.ts';
import type { OnnxModel } from '../../src/onnx/model-file.ts';
import { graph, model, value } from './graph-builder.ts';
import { unwrap } from './unwrap.ts';

/** x → nodes → y, both float. `dims` are those of x. */
export function chain(
  opset: number,
  nodes: readonly NodeProto[],
  dims?: readonly (number | string)[],
): OnnxModel {
  return model(graph({ inputs: [value('x', 'float', dims)], nodes, outputs: [value('y')] }), { opset });
}

export function graphOf({ proto }: OnnxModel): GraphProto {
  if (proto.graph === undefined) throw new Error('The model has no graph.');
  return proto.graph;
}

export function opTypesOf(given: OnnxModel): readonly (string | undefined)[] {
  return graphOf(given).node.map(({ opType }) => opType);
}

export function lift(given: OnnxModel): void {
  unwrap(liftOpset(given));
}
