import { describe, expect, it } from 'vitest';
import type { NodeProto } from '../../../src/onnx/messages.ts';
import { absorbedActivation } from '../../../src/quantization/absorbed-activation.ts';
import { viewGraph } from '../../../src/quantization/graph-view.ts';
import { graph, model, node, tensor, value } from '../../support/graph-builder.ts';

const conv = () => node('Conv', ['x', 'w'], ['c']);

/** What is absorbed by a Conv x → c in front of `nodes`. */
function absorbedBy(nodes: readonly NodeProto[], outputs: readonly string[] = ['y']): string | undefined {
  const first = conv();
  const view = viewGraph(
    model(
      graph({
        inputs: [value('x'), value('v'), value('flag', 'bool')],
        nodes: [first, ...nodes],
        outputs: outputs.map((name) => value(name)),
        initializers: [
          tensor('w', [1, 1, 1, 1], [1]),
          ...[-1, 0, 1, 6].map((bound) => tensor(`k${bound}`, [], [bound])),
          tensor('half', [], [0], 'float16'),
        ],
      }),
      { imports: { other: 1 } },
    ),
  );
  return absorbedActivation(first, view)?.opType;
}

describe('absorbedActivation', () => {
  it('takes a Relu', () => {
    expect(absorbedBy([node('Relu', ['c'], ['y'])])).toBe('Relu');
  });

  it.each([
    ['0 to 6', ['c', 'k0', 'k6']],
    ['-1 to 1', ['c', 'k-1', 'k1']],
    ['0 up', ['c', 'k0']],
    ['6 down', ['c', '', 'k6']],
    ['no bounds', ['c']],
  ])('takes a Clip of %s', (_, inputs) => {
    expect(absorbedBy([node('Clip', inputs, ['y'])])).toBe('Clip');
  });

  it.each([
    ['from 1 to 6, which no grid begins with', node('Clip', ['c', 'k1', 'k6'], ['y'])],
    ['from below to -1', node('Clip', ['c', '', 'k-1'], ['y'])],
    ['whose bound varies', node('Clip', ['c', 'v'], ['y'])],
    ['whose bound is no float32', node('Clip', ['c', 'half'], ['y'])],
    ['that reads the tensor as its bound', node('Clip', ['v', 'c'], ['y'])],
  ])('leaves a Clip %s', (_, clip) => {
    expect(absorbedBy([clip])).toBeUndefined();
  });

  it('leaves other activations, and operators of other domains that happen to be called Relu', () => {
    expect(absorbedBy([node('Sigmoid', ['c'], ['y'])])).toBeUndefined();
    expect(absorbedBy([node('Relu', ['c'], ['y'], {}, { domain: 'other' })])).toBeUndefined();
  });

  it('leaves a Relu whose input something else reads: a node, the caller or a body', () => {
    const relu = node('Relu', ['c'], ['y']);
    const branch = graph({ nodes: [node('Neg', ['c'], ['n'])], outputs: [value('n')] });
    expect(absorbedBy([relu, node('Neg', ['c'], ['z'])], ['y', 'z'])).toBeUndefined();
    expect(absorbedBy([relu], ['y', 'c'])).toBeUndefined();
    expect(
      absorbedBy(
        [relu, node('If', ['flag'], ['z'], { then_branch: branch, else_branch: branch })],
        ['y', 'z'],
      ),
    ).toBeUndefined();
  });
});
