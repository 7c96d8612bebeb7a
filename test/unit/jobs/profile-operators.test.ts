import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { profileOperators } from '../../../src/jobs/profile-operators.ts';
import { writeModel } from '../../../src/onnx/write-model.ts';
import { graph, model, node, tensor, value } from '../../support/graph-builder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

/** x [8, 16] · w [16, 4], and its Tanh. */
function productFile(): string {
  const path = join(temporaryFolder(), 'model.onnx');
  const w = tensor(
    'w',
    [16, 4],
    Array.from({ length: 64 }, (_, index) => index / 64),
  );
  const nodes = [node('MatMul', ['x', 'w'], ['m']), node('Tanh', ['m'], ['y'])];
  const body = graph({
    inputs: [value('x', 'float', [8, 16])],
    nodes,
    outputs: [value('y')],
    initializers: [w],
  });
  unwrap(writeModel(model(body), path));
  return path;
}

const profile = (modelPath: string, runs = 10) =>
  profileOperators(
    {
      kind: 'profile-operators',
      modelPath,
      device: 'cpu',
      data: { spec: { path: '', format: 'random' }, split: 'all' },
      threads: 1,
      runs,
    },
    { clock: systemClock },
  );

describe('profileOperators', () => {
  it('counts the operators of the runs that were asked for, with weights that the runtime has packed', async () => {
    const { runs, seconds, plainSeconds = 0, calls } = await profile(productFile());
    expect(runs).toBe(10);
    expect(seconds).toBeGreaterThan(0);
    expect(plainSeconds).toBeGreaterThan(0);
    expect(calls.map(({ op, calls: count, flops, bytes }) => [op, count, flops, bytes])).toEqual([
      ['MatMul', 10, 2 * 8 * 16 * 4, 4 * (8 * 16 + 16 * 4 + 8 * 4)],
      ['Tanh', 10, 8 * 4, 2 * 4 * 8 * 4],
    ]);
  });

  it.each([
    ['gone.onnx', undefined, 'model-not-found'],
    ['text.onnx', 'no model', 'model-rejected-by-runtime'],
  ])('refuses %s', async (name, content, kind) => {
    const path = join(temporaryFolder(), name);
    if (content !== undefined) writeFileSync(path, content);
    await expect(profile(path)).rejects.toMatchObject({ problem: { kind } });
  });
});
