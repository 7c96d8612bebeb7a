import { makeNode } from '../../onnx/make-node.ts';
import type { GraphProto, ModelProto } from '../../onnx/messages.ts';
import type { NameScope } from '../../onnx/name-scope.ts';
import { tensorFrom } from '../../onnx/tensor-data.ts';
import { type ActivationGrid, activationParameters } from '../activation-grid.ts';
import type { ValueRange } from '../affine.ts';
import { importRuntimeDomain } from '../dynamic/lstm.ts';
import { zeroPointTensor } from '../quantized-constants.ts';

/** Adds to a model a tensor as the grid of a range holds it, and gives its name. Nothing else in the model reads it. */
export function addRounding(
  proto: ModelProto,
  names: NameScope,
  tensor: string,
  range: ValueRange,
  grid: ActivationGrid,
): string {
  const graph = proto.graph as GraphProto;
  const { scale, zeroPoint } = activationParameters(range, grid);
  const [scaleName, zeroName, codes, rounded] = ['scale', 'zero_point', 'codes', 'rounded'].map((what) =>
    names.fresh(`${tensor}_${what}`),
  ) as [string, string, string, string];
  graph.initializer.push(tensorFrom(scaleName, [], Float32Array.of(scale)));
  graph.initializer.push(zeroPointTensor(zeroPoint, grid, zeroName));
  // ONNX has 16-bit codes since opset 21 alone, the runtime's own operators always.
  const isWide = grid.type === 'uint16' || grid.type === 'int16';
  if (isWide) importRuntimeDomain(proto);
  const domain = isWide ? { domain: 'com.microsoft' } : {};
  const parameters = [scaleName, zeroName];
  graph.node.push(
    makeNode('QuantizeLinear', { name: codes, input: [tensor, ...parameters], output: [codes], ...domain }),
    makeNode('DequantizeLinear', {
      name: rounded,
      input: [codes, ...parameters],
      output: [rounded],
      ...domain,
    }),
  );
  return rounded;
}
