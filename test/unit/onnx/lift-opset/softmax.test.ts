import { describe, expect, it } from 'vitest';
import { chain, lift, opTypesOf } from '../../../support/chain.ts';
import { node } from '../../../support/graph-builder.ts';
import { runModel, wavyFeed } from '../../../support/run-model.ts';
import { expectSameResults } from '../../../support/same-results.ts';

describe('a lifted Softmax', () => {
  it('stays one node where only one of the flattened axes is longer than 1', async () => {
    const given = chain(9, [node('Softmax', ['x'], ['y'])], ['N', 5, 1, 1]);
    await expectSameResults(given, { x: wavyFeed(2, 5, 1, 1) }, lift);
    expect(opTypesOf(given)).toEqual(['Softmax']);
  });

  it('stays one node where the rank is known from the operators before it', async () => {
    const given = chain(
      9,
      [node('Flatten', ['x'], ['f']), node('Relu', ['f'], ['r']), node('Softmax', ['r'], ['y'])],
      [2, 3, 4],
    );
    await expectSameResults(given, { x: wavyFeed(2, 3, 4) }, lift);
    expect(opTypesOf(given)).toEqual(['Flatten', 'Relu', 'Softmax']);
  });

  it('is flattened explicitly where the rank is unknown', async () => {
    const given = chain(9, [node('Softmax', ['x'], ['y'])]);
    await expectSameResults(given, { x: wavyFeed(2, 3, 4) }, lift);
    expect(opTypesOf(given)).toEqual(['Shape', 'Flatten', 'Softmax', 'Reshape']);
  });

  it('would give other results if it stayed as it was', async () => {
    const given = chain(9, [node('Softmax', ['x'], ['y'])], [1, 2, 3]);
    const feeds = { x: wavyFeed(1, 2, 3) };
    const before = await runModel(given, feeds);
    given.proto.opsetImport = [{ domain: '', version: 13 }];
    const after = await runModel(given, feeds);
    expect(after['y']?.data).not.toEqual(before['y']?.data);
  });
});
