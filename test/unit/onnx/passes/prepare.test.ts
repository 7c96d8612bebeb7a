import { describe, expect, it } from 'vitest';
import { scratchModelOpener } from '../../../../src/jobs/scratch-models.ts';
import { prepareModel } from '../../../../src/onnx/passes/prepare.ts';
import { chain, graphOf, opTypesOf } from '../../../support/chain.ts';
import { expectCloseResults } from '../../../support/close-results.ts';
import { graph, node, tensor, value } from '../../../support/graph-builder.ts';
import { floatFeed } from '../../../support/run-model.ts';
import { expectSameResults } from '../../../support/same-results.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';

/** As old exporters write it: initializers as inputs, constants as nodes, Dropout, opset 9. */
function oldModel() {
  const given = chain(
    9,
    [
      node('Conv', ['x', 'w'], ['c']),
      node('BatchNormalization', ['c', 'one', 'zero', 'zero', 'one'], ['n']),
      node('Dropout', ['n'], ['d']),
      node('Constant', [], ['k'], { value: tensor('', [1], [2]) }),
      node('Max', ['d', 'k'], ['m']),
      node('Squeeze', ['m'], ['s'], { axes: [2] }),
      node('Identity', ['s'], ['y']),
    ],
    [1, 1, 1, 2],
  );
  given.proto.irVersion = 3;
  const constants = [tensor('w', [1, 1, 1, 1], [3]), tensor('one', [1], [1]), tensor('zero', [1], [0])];
  graphOf(given).initializer.push(...constants);
  graphOf(given).input.push(...constants.map(({ name, dims }) => value(name ?? '', 'float', dims)));
  return given;
}

function opener() {
  return scratchModelOpener(temporaryFolder(), 1);
}

describe('prepareModel', () => {
  it('leaves what is worth quantizing and says what every step did', async () => {
    const given = oldModel();
    expect(unwrap(await prepareModel(given))).toEqual({
      inputsAreNotInitializers: { modified: true, count: 3 },
      inlineFunctions: { modified: false, count: 0, left: [] },
      constantsToInitializers: { modified: true, count: 1 },
      liftOpset: { modified: true, fromVersion: 9, toVersion: 13, rewritten: { Squeeze: 1 } },
      eliminateIdentity: { modified: true, count: 2 },
      foldConstants: { modified: false, count: 0 },
      inlineConstantIfs: { modified: false, count: 0 },
      foldBiasAdd: { modified: false, count: 0 },
      foldScale: { modified: false, count: 0 },
      foldBatchNorm: { modified: true, count: 1 },
      foldInputNorm: { modified: false, count: 0 },
      mergeDuplicates: { modified: false, count: 0 },
      eliminateDead: { modified: true, count: 2 },
    });
    expect(opTypesOf(given)).toEqual(['Conv', 'Max', 'Squeeze']);
    expect(graphOf(given).input.map(({ name }) => name)).toEqual(['x']);
  });

  it('finds nothing to do the second time', async () => {
    const given = oldModel();
    unwrap(await prepareModel(given));
    const once = structuredClone(given.proto);
    const report = unwrap(await prepareModel(given));
    expect(Object.values(report).map(({ modified }) => modified)).toEqual(Array(13).fill(false));
    expect(given.proto).toEqual(once);
  });

  it('changes no bit of the results when it folds nothing', async () => {
    await expectSameResults(oldModel(), { x: floatFeed([1, 1, 1, 2], [0.1, -7]) }, async (m) => {
      expect(unwrap(await prepareModel(m, { fold: false })).foldBatchNorm.count).toBe(0);
    });
  });

  it('computes constants until no branch that is always taken is left', async () => {
    const branch = (name: string, opType: string) =>
      graph({
        nodes: [
          node('Constant', [], [`${name}_k`], { value: tensor('', [2], [2, 3]) }),
          node('Neg', [`${name}_k`], [`${name}_n`]),
          node(opType, ['x', `${name}_n`], [name]),
        ],
        outputs: [value(name)],
      });
    const given = chain(
      13,
      [
        node('Shape', ['x'], ['s']),
        node('Size', ['s'], ['rank']),
        node('Equal', ['rank', 'rank'], ['condition']),
        node('If', ['condition'], ['y'], {
          then_branch: branch('p', 'Mul'),
          else_branch: branch('q', 'Add'),
        }),
      ],
      ['N', 2],
    );
    await expectSameResults(given, { x: floatFeed([1, 2], [1, 2]) }, async (m) => {
      expect(unwrap(await prepareModel(m, { open: opener() }))).toMatchObject({
        constantsToInitializers: { count: 1 },
        // Shape stays, as the number of rows is not known, until nothing reads it.
        foldConstants: { count: 3 },
        inlineConstantIfs: { count: 1 },
      });
    });
    expect(opTypesOf(given)).toEqual(['Mul']);
  });

  it('computes nothing where the runtime would refuse the result', async () => {
    // Not valid, but the runtime sees that only once the limit is a constant.
    const given = chain(13, [
      node('Add', ['one', 'one'], ['limit']),
      node('Range', ['zero', 'limit', 'one'], ['r']),
      node('Add', ['x', 'r'], ['y']),
    ]);
    graphOf(given).initializer.push(tensor('zero', [], [0]), tensor('one', [1], [1]));
    graphOf(given).node.unshift(node('Identity', ['zero'], ['same']), node('Shape', ['same'], ['unread']));
    await expectSameResults(given, { x: floatFeed([2], [1, 2]) }, async (m) => {
      expect(unwrap(await prepareModel(m, { open: opener() }))).toMatchObject({
        eliminateIdentity: { count: 1 },
        foldConstants: { count: 0 },
      });
    });
    expect(opTypesOf(given)).toEqual(['Add', 'Range', 'Add']);
  });

  it('folds scales, shifts and norms into each other in whatever order they come', async () => {
    const given = chain(
      13,
      [
        node('BatchNormalization', ['x', 'one', 'two', 'two', 'one'], ['before']),
        node('Conv', ['before', 'w'], ['c']),
        node('Mul', ['c', 'two'], ['m']),
        node('Sub', ['m', 'one'], ['s']),
        node('Div', ['s', 'two'], ['d']),
        node('BatchNormalization', ['d', 'two', 'one', 'one', 'two'], ['y']),
      ],
      [1, 1, 1, 2],
    );
    graphOf(given).initializer.push(
      tensor('w', [1, 1, 1, 1], [3]),
      tensor('one', [1], [1]),
      tensor('two', [1], [2]),
    );
    await expectCloseResults(given, { x: floatFeed([1, 1, 1, 2], [0.1, -7]) }, async (m) => {
      expect(unwrap(await prepareModel(m))).toMatchObject({
        foldBiasAdd: { count: 1 },
        foldScale: { count: 2 },
        foldBatchNorm: { count: 1 },
        foldInputNorm: { count: 1 },
      });
    });
    expect(opTypesOf(given)).toEqual(['Conv']);
  });

  it('hands on the problem of the step that failed', async () => {
    const given = oldModel();
    given.proto.opsetImport = [{ domain: '', version: 0 }];
    expect(await prepareModel(given)).toMatchObject({ ok: false, error: { kind: 'opset-too-old' } });
  });
});
