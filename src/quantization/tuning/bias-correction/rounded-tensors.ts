import { cloneMessage } from '../../../onnx/clone-message.ts';
import { makeNode } from '../../../onnx/make-node.ts';
import type { GraphProto } from '../../../onnx/messages.ts';
import type { OnnxModel } from '../../../onnx/model-file.ts';
import { createNameScope } from '../../../onnx/name-scope.ts';
import { tensorFrom } from '../../../onnx/tensor-data.ts';
import { type ActivationGrid, activationParameters } from '../../activation-grid.ts';
import type { ValueRange } from '../../affine.ts';
import { zeroPointTensor } from '../../quantized-constants.ts';

/** A copy of a float model that also gives tensors as a grid holds them. Nothing else in it reads what was rounded. */
export function withRoundedTensors(
  model: OnnxModel,
  ranges: ReadonlyMap<string, ValueRange>,
  grid: ActivationGrid,
): { readonly model: OnnxModel; readonly roundedOf: ReadonlyMap<string, string> } {
  const proto = cloneMessage(model.proto);
  const graph = proto.graph as GraphProto;
  const names = createNameScope(graph);
  const roundedOf = new Map<string, string>();
  for (const [tensor, range] of ranges) {
    const { scale, zeroPoint } = activationParameters(range, grid);
    const [scaleName, zeroName, codes, rounded] = ['scale', 'zero_point', 'codes', 'rounded'].map((what) =>
      names.fresh(`${tensor}_${what}`),
    ) as [string, string, string, string];
    graph.initializer.push(tensorFrom(scaleName, [], Float32Array.of(scale)));
    graph.initializer.push(zeroPointTensor(zeroPoint, grid, zeroName));
    graph.node.push(
      makeNode('QuantizeLinear', { name: codes, input: [tensor, scaleName, zeroName], output: [codes] }),
      makeNode('DequantizeLinear', { name: rounded, input: [codes, scaleName, zeroName], output: [rounded] }),
    );
    roundedOf.set(tensor, rounded);
  }
  return { model: { ...model, proto }, roundedOf };
}
