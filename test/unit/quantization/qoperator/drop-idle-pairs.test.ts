import { describe, expect, it } from 'vitest';
import type { NodeProto } from '../../../../src/onnx/messages.ts';
import { dropIdlePairs } from '../../../../src/quantization/qoperator/drop-idle-pairs.ts';
import { graphOf } from '../../../support/chain.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';

/** codes → DequantizeLinear → QuantizeLinear → … → MaxPool; each step names the scale and the zero point of its Q. */
function afterDropping(
  steps: readonly (readonly [string, string])[],
  {
    outputs = ['y'],
    more = [],
  }: Partial<Record<'outputs', readonly string[]> & { more: readonly NodeProto[] }> = {},
): readonly NodeProto[] {
  const nodes: NodeProto[] = [];
  let [codes, scale, zeroPoint] = ['codes', 'scale', 'zero'];
  for (const [nextScale, nextZeroPoint] of steps) {
    const at = nodes.length / 2;
    nodes.push(node('DequantizeLinear', [codes, scale, zeroPoint], [`d${at}`]));
    nodes.push(node('QuantizeLinear', [`d${at}`, nextScale, nextZeroPoint], [`q${at}`]));
    [codes, scale, zeroPoint] = [`q${at}`, nextScale, nextZeroPoint];
  }
  const given = model(
    graph({
      inputs: [value('codes', 'uint8', [1, 1, 2, 2])],
      nodes: [...nodes, ...more, node('MaxPool', [codes], ['y'], { kernel_shape: [2, 2] })],
      outputs: outputs.map((name) => value(name, 'uint8')),
      initializers: [
        tensor('scale', [], [0.5]),
        tensor('same_scale', [], [0.5]),
        tensor('other_scale', [], [0.25]),
        tensor('zero', [], [3], 'uint8'),
        tensor('same_zero', [], [3], 'uint8'),
        tensor('other_zero', [], [4], 'uint8'),
        tensor('signed_zero', [], [3], 'int8'),
        tensor('row_of_zeros', [1], [3], 'uint8'),
      ],
    }),
  );
  dropIdlePairs(given, graphOf(given));
  return graphOf(given).node;
}

function lastInput(nodes: readonly NodeProto[]): string | undefined {
  return nodes.at(-1)?.input[0];
}

describe('dropIdlePairs', () => {
  it.each([
    ['by the same constants', [['scale', 'zero']]],
    ['by constants of the same value', [['same_scale', 'same_zero']]],
    [
      'twice',
      [
        ['scale', 'zero'],
        ['scale', 'zero'],
      ],
    ],
  ] as const)('lets what follows read the first codes where they are rounded %s', (_, steps) => {
    const nodes = afterDropping(steps);
    expect(lastInput(nodes)).toBe('codes');
    expect(nodes.some(({ opType }) => opType === 'QuantizeLinear')).toBe(false);
  });

  it.each([
    ['scale', 'other_scale', 'zero'],
    ['zero point', 'scale', 'other_zero'],
    ['type', 'scale', 'signed_zero'],
    ['form', 'scale', 'row_of_zeros'],
  ])('keeps a pair of another %s', (_, scale, zeroPoint) => {
    expect(lastInput(afterDropping([[scale, zeroPoint]]))).toBe('q0');
  });

  it('keeps a pair whose codes the model gives', () => {
    expect(lastInput(afterDropping([['scale', 'zero']], { outputs: ['y', 'q0'] }))).toBe('q0');
  });

  it('keeps a pair whose codes a body reads', () => {
    const body = graph({ nodes: [node('Abs', ['q0'], ['inner'])], outputs: [value('inner', 'uint8')] });
    const more = [node('If', ['flag'], ['z'], { then_branch: body, else_branch: body })];
    expect(lastInput(afterDropping([['scale', 'zero']], { more }))).toBe('q0');
  });
});
