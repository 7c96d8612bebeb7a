import { describe, expect, it } from 'vitest';
import { constantsToInitializers } from '../../../../src/onnx/passes/constants-to-initializers.ts';
import { inputsAreNotInitializers } from '../../../../src/onnx/passes/inputs-are-not-initializers.ts';
import { readTensorData } from '../../../../src/onnx/tensor-data.ts';
import { chain, graphOf, opTypesOf } from '../../../support/chain.ts';
import { float, floats, graph, node, tensor, value } from '../../../support/graph-builder.ts';
import { floatFeed } from '../../../support/run-model.ts';
import { expectSameResults } from '../../../support/same-results.ts';
import { unwrap } from '../../../support/unwrap.ts';

describe('constantsToInitializers', () => {
  it('turns a Constant into an initializer of the same name', async () => {
    const given = chain(
      13,
      [
        node('Constant', [], ['c'], { value: tensor('inner name', [2], [3, 4]) }),
        node('Add', ['x', 'c'], ['y']),
      ],
      [2],
    );
    given.proto.irVersion = 3;
    await expectSameResults(given, { x: floatFeed([2], [1, 2]) }, (m) => {
      expect(constantsToInitializers(m)).toEqual({ modified: true, count: 1 });
    });
    expect(opTypesOf(given)).toEqual(['Add']);
    expect(given.proto.irVersion).toBe(4);
    expect(graphOf(given).initializer.map(({ name }) => name)).toEqual(['c']);
  });

  it.each([
    ['value_float', float(1.5), [], Float32Array.of(1.5)],
    ['value_floats', floats(1.5, -2), [2], Float32Array.of(1.5, -2)],
    ['value_int', -7, [], BigInt64Array.of(-7n)],
    ['value_ints', [1, 2, 3], [3], BigInt64Array.of(1n, 2n, 3n)],
  ] as const)('understands %s', (attribute, given, dims, data) => {
    const constant = chain(13, [
      node('Constant', [], ['c'], { [attribute]: given }),
      node('Relu', ['x'], ['y']),
    ]);
    constantsToInitializers(constant);
    const [made] = graphOf(constant).initializer;
    expect(made).toMatchObject({ name: 'c', dims });
    expect(made && unwrap(readTensorData(constant, made))).toEqual(data);
  });

  it('leaves strings, graph outputs, bodies and other domains alone', () => {
    const branch = graph({
      nodes: [node('Constant', [], ['b'], { value_float: float(1) })],
      outputs: [value('b')],
    });
    const given = chain(13, [
      node('Constant', [], ['s'], { value_string: 'text' }),
      node('Constant', [], ['o'], { value_float: float(1) }, { domain: 'mine' }),
      node('Constant', [], ['y'], { value_float: float(1) }),
      node('If', ['x'], ['z'], { then_branch: branch, else_branch: branch }),
    ]);
    expect(constantsToInitializers(given)).toEqual({ modified: false, count: 0 });
    expect(branch.node).toHaveLength(1);
  });
});

describe('inputsAreNotInitializers', () => {
  it('leaves only what has to be fed', async () => {
    const given = chain(9, [node('Add', ['x', 'w'], ['y'])], [2]);
    given.proto.irVersion = 3;
    graphOf(given).input.unshift(value('w', 'float', [2]));
    graphOf(given).initializer.push(tensor('w', [2], [1, 2]));
    await expectSameResults(given, { x: floatFeed([2], [1, 2]) }, (m) => {
      expect(inputsAreNotInitializers(m)).toEqual({ modified: true, count: 1 });
    });
    expect(graphOf(given).input.map(({ name }) => name)).toEqual(['x']);
    expect(given.proto.irVersion).toBe(4);
  });

  it('does not touch a model that is so already', () => {
    const given = chain(9, [node('Relu', ['x'], ['y'])], [2]);
    given.proto.irVersion = 3;
    expect(inputsAreNotInitializers(given)).toEqual({ modified: false, count: 0 });
    expect(given.proto.irVersion).toBe(3);
  });
});
