import { describe, expect, it } from 'vitest';
import type { NodeProto, TensorProto } from '../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../src/onnx/model-file.ts';
import { eliminateDead } from '../../../src/onnx/passes/eliminate-dead.ts';
import { viewGraph } from '../../../src/quantization/graph-view.ts';
import { insertQdq } from '../../../src/quantization/insert-qdq.ts';
import { placeForTensorrt } from '../../../src/quantization/place-for-tensorrt.ts';
import { qdqSettings } from '../../../src/quantization/qdq-settings.ts';
import { completeRecipe, type StaticRecipe } from '../../../src/quantization/recipe.ts';
import { graphOf } from '../../support/chain.ts';
import { waveConstant } from '../../support/constants.ts';
import { graph, model, node, value } from '../../support/graph-builder.ts';
import { copyOf, naiveRanges, sqnrDb } from '../../support/quantize-in-memory.ts';
import { runModel, wavyFeed } from '../../support/run-model.ts';
import { unwrap } from '../../support/unwrap.ts';

const RECIPE = completeRecipe({ format: 'static-int8', target: 'tensorrt' }) as StaticRecipe;
const DIMS = [1, 3, 8, 8];

function modelOf(nodes: readonly NodeProto[], more: readonly TensorProto[] = []): OnnxModel {
  return model(
    graph({
      inputs: [value('x', 'float', DIMS)],
      nodes,
      outputs: [value('y')],
      initializers: [waveConstant('w', [3, 3, 3, 3]), waveConstant('b', [3]), ...more],
    }),
  );
}

const conv = (from: string, to: string) => node('Conv', [from, 'w', 'b'], [to], { pads: [1, 1, 1, 1] });

/** A residual block: two convolutions and the input added to their result. */
const BLOCK = [
  conv('x', 'c1'),
  node('Relu', ['c1'], ['r1']),
  conv('r1', 'c2'),
  node('Add', ['c2', 'x'], ['s']),
  node('Relu', ['s'], ['y']),
];

const placed = (given: OnnxModel, recipe = RECIPE) => placeForTensorrt(viewGraph(given), recipe);

describe('placeForTensorrt', () => {
  it('rounds the inputs of anchors, and the shortcut of a residual block', () => {
    const { nodes, edges, producedInInt8 } = placed(modelOf(BLOCK));
    expect(nodes.map(({ node: { opType }, activations }) => [opType, activations])).toEqual([
      ['Conv', ['x']],
      ['Conv', ['r1']],
      ['Add', ['x']],
    ]);
    expect([...edges.keys()]).toEqual(['x', 'r1']);
    expect(producedInInt8.size).toBe(0);
  });

  it('takes the operand that does not come from an anchor, whichever side it is on', () => {
    const swapped = BLOCK.map((one) => (one.opType === 'Add' ? node('Add', ['x', 'c2'], ['s']) : one));
    expect(placed(modelOf(swapped)).nodes.at(-1)?.activations).toEqual(['x']);
  });

  it.each([
    ['adds a constant', [conv('x', 'c'), node('Add', ['c', 'k'], ['y'])]],
    ['adds two activations that come from no anchor', [node('Add', ['x', 'x'], ['s']), conv('s', 'y')]],
    [
      'adds a result that is read elsewhere, so that no kernel can take the Add in',
      [conv('x', 'c'), node('Add', ['c', 'x'], ['s']), node('Mul', ['s', 'c'], ['y'])],
    ],
  ])('leaves an Add alone that %s', (_, nodes) => {
    const { nodes: planned } = placed(modelOf(nodes, [waveConstant('k', [1, 3, 1, 1])]));
    expect(planned.map(({ node: { opType } }) => opType)).toEqual(['Conv']);
  });

  it('leaves float what the recipe excludes and what has no constant weights, and says why', () => {
    const exclude = { ...RECIPE.exclude, nodes: ['c1_node'] };
    const dynamic = [...BLOCK.slice(0, 4), node('MatMul', ['s', 's'], ['y'])];
    const { nodes, float } = placed(modelOf(dynamic), { ...RECIPE, exclude });
    expect(float).toEqual([
      { node: 'c1_node', op: 'Conv', reason: 'excluded by the recipe' },
      { node: 'y_node', op: 'MatMul', reason: 'both inputs vary at run time' },
    ]);
    expect(nodes).toHaveLength(2);
  });

  it('gives a model with symmetric int8 codes and float32 biases, close to float', async () => {
    const given = modelOf(BLOCK);
    const quantized = copyOf(given);
    const view = viewGraph(quantized);
    const placement = placeForTensorrt(view, RECIPE);
    const feeds = { x: wavyFeed(...DIMS) };
    const ranges = await naiveRanges(given, placement.edges.values(), [feeds]);
    unwrap(insertQdq(view, placement, ranges, qdqSettings(RECIPE)));
    eliminateDead(quantized);

    const { initializer, node: nodes } = graphOf(quantized);
    const typeOf = (name = '') => initializer.find((tensor) => tensor.name === name)?.dataType;
    const quantizers = nodes.filter(({ opType }) => opType === 'QuantizeLinear');
    expect(quantizers.map(({ input }) => [input[0], typeOf(input[2])])).toEqual([
      ['x', 3],
      ['r1', 3],
    ]);
    expect(nodes.filter(({ opType }) => opType === 'Conv').map(({ input }) => input[2])).toEqual(['b', 'b']);
    const results = [await runModel(given, feeds), await runModel(quantized, feeds)] as const;
    expect(sqnrDb(...results)).toBeGreaterThan(30);
  });
});
