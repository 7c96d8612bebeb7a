import { cloneMessage } from '../../../onnx/clone-message.ts';
import type { GraphProto } from '../../../onnx/messages.ts';
import type { OnnxModel } from '../../../onnx/model-file.ts';
import { createNameScope } from '../../../onnx/name-scope.ts';
import type { ActivationGrid } from '../../activation-grid.ts';
import type { ValueRange } from '../../affine.ts';
import { addRounding } from '../rounding-nodes.ts';

/** A copy of a float model that also gives tensors as a grid holds them. Nothing else in it reads what was rounded. */
export function withRoundedTensors(
  model: OnnxModel,
  ranges: ReadonlyMap<string, ValueRange>,
  grid: ActivationGrid,
): { readonly model: OnnxModel; readonly roundedOf: ReadonlyMap<string, string> } {
  const proto = cloneMessage(model.proto);
  const names = createNameScope(proto.graph as GraphProto);
  const roundedOf = new Map<string, string>();
  for (const [tensor, range] of ranges) {
    roundedOf.set(tensor, addRounding(proto, names, tensor, range, grid));
  }
  return { model: { ...model, proto }, roundedOf };
}
