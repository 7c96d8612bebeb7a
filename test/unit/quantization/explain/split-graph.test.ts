import type { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { createGraphSplitter } from '../../../../src/quantization/explain/split-graph.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { floatChain, WIDTH, wave } from '../../../support/explained-models.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { floatFeed, runModel } from '../../../support/run-model.ts';

const X = floatFeed([1, WIDTH], wave(WIDTH, 0.9));

/** A residual block, with an output on the way, and a body that reads from around itself. */
function residual(): OnnxModel {
  const branch = (name: string, op: string) =>
    graph({ nodes: [node(op, ['r'], [name])], outputs: [value(name, 'float', [1, WIDTH])] });
  return model(
    graph({
      inputs: [value('x', 'float', [1, WIDTH]), value('c', 'bool', [])],
      nodes: [
        node('Relu', ['x'], ['r']),
        node('Neg', ['r'], ['n']),
        node('Add', ['n', 'k'], ['s']),
        node('If', ['c'], ['b'], { then_branch: branch('t', 'Neg'), else_branch: branch('e', 'Abs') }),
        node('Add', ['s', 'b'], ['y']),
      ],
      outputs: [value('y', 'float', [1, WIDTH]), value('n', 'float', [1, WIDTH])],
      initializers: [tensor('k', [1, WIDTH], wave(WIDTH, 2))],
    }),
  );
}

const listed = (results: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(results).map(([name, of]) => [name, [...((of as Tensor).data as Float32Array)]]),
  );

/** Runs both parts one after another. */
async function runInParts(given: OnnxModel, place: number, feeds: Readonly<Record<string, Tensor>>) {
  const { before, cut, behind } = createGraphSplitter(viewGraph(given)).split(place);
  const fedTo = (
    part: { readonly graph: { readonly input: readonly { readonly name?: string | undefined }[] } },
    all: object,
  ) =>
    Object.fromEntries(
      Object.entries(all).filter(([name]) => part.graph.input.some((input) => input.name === name)),
    );
  const first = await runModel(before.model, fedTo(before, feeds));
  const rest = behind((name) => (first[name] as Tensor).dims);
  return { cut, results: listed(await runModel(rest.model, fedTo(rest, { ...feeds, ...first }))) };
}

describe('createGraphSplitter', () => {
  it('makes two parts that compute what the whole does, wherever it cuts', async () => {
    const { Tensor: OrtTensor } = await import('onnxruntime-node');
    const feeds = { x: X, c: new OrtTensor('bool', Uint8Array.of(1), []) };
    const whole = listed(await runModel(residual(), feeds));
    const cuts: (readonly string[])[] = [];
    for (const place of [1, 2, 3, 4]) {
      const { cut, results } = await runInParts(residual(), place, feeds);
      expect(results).toEqual(whole);
      cuts.push([...cut].sort());
    }
    // The output on the way is given out by the second part, and what a body reads is kept for it.
    expect(cuts).toEqual([['r'], ['n', 'r'], ['n', 'r', 's'], ['b', 'n', 's']]);
  });

  it('shares weights out among the parts', () => {
    const { before, behind } = createGraphSplitter(viewGraph(floatChain())).split(2);
    const names = (view: typeof before) => view.graph.initializer.map(({ name }) => name);
    expect([names(before), names(behind(() => undefined))]).toEqual([['w0'], ['w1', 'w2']]);
  });

  it('tells where tensors come from and are first needed', () => {
    const splitter = createGraphSplitter(viewGraph(residual()));
    expect(['x', 'r', 's'].map(splitter.placeOf)).toEqual([undefined, 0, 2]);
    // An output on the way is needed where it comes from: the graph gives it out as it is rounded.
    expect(['x', 'r', 's', 'n', 'y', 'nothing'].map(splitter.firstUse)).toEqual([0, 1, 4, 1, 4, undefined]);
  });

  it('cuts no later than asked, and where all that crosses the cut can be fed to a model', () => {
    const chain = createGraphSplitter(viewGraph(floatChain()));
    expect([0, 1, 3].map(chain.cutBefore)).toEqual([0, 1, 3]);
    const sequences = model(
      graph({
        inputs: [value('x', 'float', [1, WIDTH])],
        nodes: [
          node('Relu', ['x'], ['r']),
          node('SequenceConstruct', ['r', 'r'], ['q']),
          node('ConcatFromSequence', ['q'], ['y'], { axis: 0 }),
        ],
        outputs: [value('y', 'float', [2, WIDTH])],
      }),
    );
    expect(createGraphSplitter(viewGraph(sequences)).cutBefore(2)).toBe(1);
  });
});
