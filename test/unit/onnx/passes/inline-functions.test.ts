import { describe, expect, it } from 'vitest';
import { stringAttributeProto } from '../../../../src/onnx/attributes.ts';
import type { AttributeProto, FunctionProto, NodeProto } from '../../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { inlineFunctions } from '../../../../src/onnx/passes/inline-functions.ts';
import { prepareModel } from '../../../../src/onnx/passes/prepare.ts';
import { graphOf, opTypesOf } from '../../../support/chain.ts';
import { float, graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { wavyFeed } from '../../../support/run-model.ts';
import { expectSameResults } from '../../../support/same-results.ts';
import { unwrap } from '../../../support/unwrap.ts';

function fn(name: string, parts: Partial<FunctionProto> & Pick<FunctionProto, 'input' | 'output' | 'node'>) {
  return {
    name,
    domain: 'local',
    attribute: [],
    attributeProto: [],
    opsetImport: [
      { domain: '', version: 13 },
      { domain: 'local', version: 1 },
    ],
    valueInfo: [],
    metadataProps: [],
    ...parts,
  } satisfies FunctionProto;
}

/** An attribute of a node in a function that takes its value from the call. */
function referring(name: string, refAttrName: string, type: number): AttributeProto {
  return { ...stringAttributeProto(name, ''), s: undefined, type, refAttrName };
}

function call(opType: string, input: string[], output: string[], attributes = {}): NodeProto {
  return node(opType, input, output, attributes, { domain: 'local', name: `call_${output[0]}` });
}

function withFunctions(nodes: readonly NodeProto[], functions: readonly FunctionProto[]): OnnxModel {
  const given = model(
    graph({ inputs: [value('x', 'float', [4])], nodes, outputs: [value('y', 'float', [4])] }),
    { imports: { local: 1 } },
  );
  given.proto.functions = [...functions];
  return given;
}

/** leaky(a) = LeakyRelu(a, alpha = slope) - a, where the slope has a default. */
function leaky(): FunctionProto {
  const inner = node('LeakyRelu', ['a'], ['t']);
  inner.attribute = [referring('alpha', 'slope', 1)];
  const [slope] = node('LeakyRelu', ['a'], ['t'], { slope: float(0.5) }).attribute;
  return fn('leaky', {
    input: ['a'],
    output: ['b'],
    node: [inner, node('Sub', ['t', 'a'], ['b'])],
    attributeProto: slope === undefined ? [] : [slope],
  });
}

const feeds = { x: wavyFeed(4) };

describe('inlineFunctions', () => {
  it('puts nodes in the place of calls, with the attributes of the call or their defaults', async () => {
    const given = withFunctions(
      [
        call('leaky', ['x'], ['t']),
        call('leaky', ['t'], ['b'], { slope: float(0.25) }),
        node('Neg', ['b'], ['y']),
      ],
      [leaky()],
    );
    await expectSameResults(given, feeds, (m) =>
      expect(inlineFunctions(m)).toEqual({ modified: true, count: 2, left: [] }),
    );
    expect(opTypesOf(given)).toEqual(['LeakyRelu', 'Sub', 'LeakyRelu', 'Sub', 'Neg']);
    expect(graphOf(given).node.map(({ attribute }) => attribute[0]?.f)).toEqual([
      0.5,
      undefined,
      0.25,
      undefined,
      undefined,
    ]);
    expect(given.proto.functions).toEqual([]);
    const outputs = graphOf(given).node.flatMap(({ output }) => output);
    expect(new Set(outputs).size).toBe(outputs.length);
  });

  it('leaves out an attribute that neither the call nor the function gives', async () => {
    const inner = node('LeakyRelu', ['a'], ['b']);
    inner.attribute = [referring('alpha', 'slope', 1)];
    const plain = fn('plain', { input: ['a'], output: ['b'], attribute: ['slope'], node: [inner] });
    const given = withFunctions([call('plain', ['x'], ['y'])], [plain]);
    await expectSameResults(given, feeds, inlineFunctions);
    expect(graphOf(given).node[0]?.attribute).toEqual([]);
  });

  it('inlines functions that call functions, in bodies of If as well', async () => {
    const twice = fn('twice', {
      input: ['a'],
      output: ['b'],
      node: [call('leaky', ['a'], ['t']), call('leaky', ['t'], ['b'])],
    });
    const branch = (opType: string, name: string) =>
      graph({ nodes: [call(opType, ['x'], [name])], outputs: [value(name)] });
    const given = withFunctions(
      [
        node('ReduceSum', ['x'], ['sum'], { keepdims: 0 }),
        node('Cast', ['sum'], ['condition'], { to: 9 }),
        node('If', ['condition'], ['z'], {
          then_branch: branch('twice', 'p'),
          else_branch: branch('leaky', 'q'),
        }),
        call('twice', ['z'], ['y']),
      ],
      [leaky(), twice],
    );
    await expectSameResults(given, feeds, (m) => expect(inlineFunctions(m).count).toBe(7));
    expect(given.proto.functions).toEqual([]);
    expect(JSON.stringify(graphOf(given).node, (_, v) => (typeof v === 'bigint' ? 0 : v))).not.toContain(
      '"local"',
    );
  });

  it('renames what bodies inside a function define and read, also when it is called twice', async () => {
    const body = (name: string, opType: string) =>
      graph({
        nodes: [node('Mul', ['a', `${name}_k`], ['x']), node(opType, ['x'], [name])],
        outputs: [value(name)],
        initializers: [tensor(`${name}_k`, [1], [3])],
      });
    const choose = fn('choose', {
      input: ['a'],
      output: ['b'],
      node: [
        node('ReduceSum', ['a'], ['sum'], { keepdims: 0 }),
        node('Cast', ['sum'], ['condition'], { to: 9 }),
        node('If', ['condition'], ['b'], { then_branch: body('p', 'Neg'), else_branch: body('q', 'Abs') }),
      ],
    });
    const given = withFunctions([call('choose', ['x'], ['t']), call('choose', ['t'], ['y'])], [choose]);
    await expectSameResults(given, feeds, (m) => expect(inlineFunctions(m).count).toBe(2));
  });

  it('copies what a function gives out as it came, and leaves out optional inputs', async () => {
    const clip = fn('clip', {
      input: ['a', 'low', 'high'],
      output: ['b', 'a'],
      node: [node('Clip', ['a', 'low', 'high'], ['b'])],
    });
    const given = withFunctions(
      [call('clip', ['x', '', 'k'], ['t', 'same']), node('Add', ['t', 'same'], ['y'])],
      [clip],
    );
    graphOf(given).initializer.push(tensor('k', [], [1]));
    expect(inlineFunctions(given).count).toBe(1);
    expect(opTypesOf(given)).toEqual(['Clip', 'Identity', 'Add']);
    expect(graphOf(given).node[0]?.input).toEqual(['x', '', 'k']);
  });

  it('adds the imports that the model lacks', () => {
    const gelu = fn('gelu', {
      input: ['a'],
      output: ['b'],
      node: [node('Gelu', ['a'], ['b'], {}, { domain: 'com.microsoft' })],
      opsetImport: [{ domain: 'com.microsoft', version: 1 }],
    });
    const given = withFunctions([call('gelu', ['x'], ['y'])], [gelu]);
    expect(inlineFunctions(given).count).toBe(1);
    expect(given.proto.opsetImport).toContainEqual({ domain: 'com.microsoft', version: 1 });
  });

  it('leaves functions of another opset and those that call themselves, and names the former', () => {
    const newer = { ...leaky(), opsetImport: [{ domain: '', version: 18 }] };
    const given = withFunctions([call('leaky', ['x'], ['y'])], [newer]);
    expect(inlineFunctions(given)).toEqual({ modified: false, count: 0, left: ['local.leaky'] });
    expect(opTypesOf(given)).toEqual(['leaky']);

    const endless = fn('endless', { input: ['a'], output: ['b'], node: [call('endless', ['a'], ['b'])] });
    const looping = withFunctions([call('endless', ['x'], ['y'])], [endless]);
    expect(inlineFunctions(looping)).toMatchObject({ count: 1, left: ['local.endless'] });
  });

  it('gives prepareModel plain nodes, from functions of the opset of the model and from older ones', async () => {
    const softmax = fn('soft', {
      input: ['a'],
      output: ['b'],
      node: [node('Softmax', ['a'], ['b'], { axis: 0 })],
      opsetImport: [{ domain: '', version: 12 }],
    });
    const given = withFunctions(
      [call('soft', ['x'], ['t']), call('leaky', ['t'], ['y'])],
      [softmax, { ...leaky(), opsetImport: [{ domain: '', version: 12 }] }],
    );
    given.proto.opsetImport[0] = { domain: '', version: 12 };
    await expectSameResults(given, feeds, async (m) =>
      expect(unwrap(await prepareModel(m)).inlineFunctions).toEqual({ modified: true, count: 2, left: [] }),
    );
    expect(opTypesOf(given)).toEqual(['Softmax', 'LeakyRelu', 'Sub']);
  });
});
