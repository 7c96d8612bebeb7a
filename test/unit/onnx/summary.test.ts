import { describe, expect, it } from 'vitest';
import type { FunctionProto, ModelProto } from '../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../src/onnx/model-file.ts';
import { summarizeModel } from '../../../src/onnx/summary.ts';
import { tensorFrom } from '../../../src/onnx/tensor-data.ts';
import { walkGraphs } from '../../../src/onnx/traversal.ts';
import { graph, model, node, value } from '../../support/graph-builder.ts';

const INNERMOST = graph({ name: 'innermost', nodes: [node('Relu', ['x'], ['r'])], outputs: [value('r')] });
const BRANCH = graph({
  name: 'branch',
  nodes: [node('Loop', ['n'], ['z'], { body: INNERMOST })],
  outputs: [value('z')],
});

const LOCAL_FUNCTION: FunctionProto = {
  name: 'Scale',
  domain: 'local',
  input: ['a'],
  output: ['b'],
  attribute: [],
  attributeProto: [],
  node: [node('Mul', ['a', 'a'], ['b'])],
  opsetImport: [{ domain: '', version: 17 }],
  valueInfo: [],
  metadataProps: [],
};

function example(more: Partial<ModelProto> = {}): OnnxModel {
  const built = model(
    graph({
      inputs: [value('x', 'float', ['N', 3, 224]), value('w', 'float', [2, 2]), value('any', 'int64')],
      nodes: [
        node('If', ['condition'], ['y'], { then_branch: BRANCH, else_branch: INNERMOST }),
        node('Scale', ['y'], ['s'], {}, { domain: 'local' }),
        node('Relu', ['s'], ['out']),
        node('Constant', [], ['c'], { value: tensorFrom('', [3], Uint8Array.of(1, 2, 3)) }),
      ],
      outputs: [value('out', 'float', [])],
      initializers: [tensorFrom('w', [2, 2], Float32Array.of(1, 2, 3, 4))],
    }),
    { opset: 17, imports: { local: 1 } },
  );
  return { ...built, proto: { ...built.proto, functions: [LOCAL_FUNCTION], ...more } };
}

describe('the summary of a model', () => {
  it('tells inputs and outputs with types and shapes, without initializers', () => {
    const { inputs, outputs } = summarizeModel(example());
    expect(inputs).toEqual([
      { name: 'x', type: 'float32[N,3,224]' },
      { name: 'any', type: 'int64' },
    ]);
    expect(outputs).toEqual([{ name: 'out', type: 'float32[]' }]);
  });

  it('counts nodes in bodies and functions, and says which are where', () => {
    const summary = summarizeModel(example());
    expect(summary.nodes).toEqual({ total: 8, inMainGraph: 4, inSubgraphs: 3, inFunctions: 1 });
    expect(summary).toMatchObject({ subgraphs: 3, functions: 1 });
    expect(Object.entries(summary.operators)[0]).toEqual(['Relu', 3]);
    expect(summary.operators).toEqual({ Relu: 3, Constant: 1, If: 1, Loop: 1, Mul: 1, 'local::Scale': 1 });
  });

  it('counts parameters by type', () => {
    const { parameters, parametersByType } = summarizeModel(example());
    expect(parameters).toEqual({ tensors: 2, elements: 7, sizeBytes: 19 });
    expect(parametersByType).toEqual({
      float32: { tensors: 1, elements: 4 },
      uint8: { tensors: 1, elements: 3 },
    });
  });

  it('sees that a model is quantized already', () => {
    expect(summarizeModel(example()).quantization).toEqual({ isQuantized: false, operators: {} });
    const quantized = model(
      graph({
        nodes: [
          node('QuantizeLinear', ['x', 's', 'z'], ['q']),
          node('MatMulNBits', ['q', 'w'], ['y'], {}, { domain: 'com.microsoft' }),
        ],
        outputs: [value('y')],
      }),
    );
    expect(summarizeModel(quantized).quantization).toEqual({
      isQuantized: true,
      operators: { QuantizeLinear: 1, 'com.microsoft::MatMulNBits': 1 },
    });
  });

  it('is plain JSON data', () => {
    const summary = summarizeModel(
      example({ metadataProps: [{ key: 'author', value: 'a' }], modelVersion: 3n }),
    );
    const { path: _, ...rest } = summary;
    expect(JSON.parse(JSON.stringify(summary))).toEqual(rest);
    expect(summary).toMatchObject({ opsets: { 'ai.onnx': 17, local: 1 }, metadata: { author: 'a' } });
  });
});

describe('walking over graphs', () => {
  it('visits a graph before the bodies in it and tells their depth', () => {
    const visited: string[] = [];
    const main = example().proto.graph;
    if (main !== undefined) walkGraphs(main, ({ name }, depth) => visited.push(`${depth} ${name}`));
    expect(visited).toEqual(['0 g', '1 branch', '2 innermost', '1 innermost']);
  });
});
