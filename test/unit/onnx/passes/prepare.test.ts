import { describe, expect, it } from 'vitest';
import { prepareModel } from '../../../../src/onnx/passes/prepare.ts';
import { chain, graphOf, opTypesOf } from '../../../support/chain.ts';
import { node, tensor, value } from '../../../support/graph-builder.ts';
import { floatFeed } from '../../../support/run-model.ts';
import { expectSameResults } from '../../../support/same-results.ts';
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
      node('Mul', ['d', 'k'], ['m']),
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

describe('prepareModel', () => {
  it('leaves what is worth quantizing and says what every step did', () => {
    const given = oldModel();
    expect(unwrap(prepareModel(given))).toEqual({
      inputsAreNotInitializers: { modified: true, count: 3 },
      constantsToInitializers: { modified: true, count: 1 },
      liftOpset: { modified: true, fromVersion: 9, toVersion: 13, rewritten: { Squeeze: 1 } },
      eliminateIdentity: { modified: true, count: 2 },
      foldBiasAdd: { modified: false, count: 0 },
      foldBatchNorm: { modified: true, count: 1 },
      eliminateDead: { modified: true, count: 2 },
    });
    expect(opTypesOf(given)).toEqual(['Conv', 'Mul', 'Squeeze']);
    expect(graphOf(given).input.map(({ name }) => name)).toEqual(['x']);
  });

  it('finds nothing to do the second time', () => {
    const given = oldModel();
    unwrap(prepareModel(given));
    const once = structuredClone(given.proto);
    const report = unwrap(prepareModel(given));
    expect(Object.values(report).map(({ modified }) => modified)).toEqual(Array(7).fill(false));
    expect(given.proto).toEqual(once);
  });

  it('changes no bit of the results when it folds nothing', async () => {
    await expectSameResults(oldModel(), { x: floatFeed([1, 1, 1, 2], [0.1, -7]) }, (m) => {
      expect(unwrap(prepareModel(m, { fold: false })).foldBatchNorm.count).toBe(0);
    });
  });

  it('hands on the problem of the step that failed', () => {
    const given = oldModel();
    given.proto.opsetImport = [{ domain: '', version: 5 }];
    expect(prepareModel(given)).toMatchObject({ ok: false, error: { kind: 'opset-too-old' } });
  });
});
