import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { profileOnDevice } from '../../../src/jobs/profile-on-device.ts';
import type { OnnxModel } from '../../../src/onnx/model-file.ts';
import { writeModel } from '../../../src/onnx/write-model.ts';
import { graph, model, node, value } from '../../support/graph-builder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const ON_CPU = { device: 'cpu', intraOpThreads: 1 } as const;

function fileOf(given: OnnxModel): string {
  const path = join(temporaryFolder(), 'model.onnx');
  unwrap(writeModel(given, path));
  return path;
}

function unary(op: string, type: 'float' | 'string'): string {
  const inputs = [value('x', type, ['n', 2])];
  const nodes = [node(op, ['x'], ['y'], {}, { name: 'only' })];
  return fileOf(model(graph({ inputs, nodes, outputs: [value('y', type)] })));
}

describe('the profile of a model on a device', () => {
  it('tells which providers ran its nodes, on made-up inputs', async () => {
    const { placement } = await profileOnDevice(unary('Abs', 'float'), ON_CPU);
    expect(placement).toEqual({
      byProvider: { CPUExecutionProvider: { count: 1, nodes: ['only'] } },
      fellBack: [],
      hostNodes: [],
      copiesPerRun: 0,
    });
  });

  it('tells what the arena holds, which grows with the tensors', async () => {
    const feeds = (rows: number) => ({
      x: { type: 'float32', dims: [rows, 2], data: new Float32Array(rows * 2) } as const,
    });
    const path = unary('Abs', 'float');
    const small = (await profileOnDevice(path, { ...ON_CPU, feeds: feeds(1) })).arenaBytes;
    const large = (await profileOnDevice(path, { ...ON_CPU, feeds: feeds(2 ** 21) })).arenaBytes;
    expect(small).toBeGreaterThan(0);
    // The output takes 16 MiB.
    expect(large).toBeGreaterThanOrEqual(2 ** 24);
    expect(small).toBeLessThan(2 ** 23);
  });

  it('is made with the inputs that are given', async () => {
    const path = unary('Identity', 'string');
    await expect(profileOnDevice(path, ON_CPU)).rejects.toMatchObject({
      problem: { kind: 'feeds-needed', place: { file: path } },
    });
    const feeds = { x: { type: 'string', dims: [1, 2], data: ['a', 'b'] } } as const;
    expect((await profileOnDevice(path, { ...ON_CPU, feeds })).placement.byProvider).toEqual({
      CPUExecutionProvider: { count: 1, nodes: ['only'] },
    });
  });

  it('is a problem for feeds that do not fit, and for a file that is no model', async () => {
    const feeds = { x: { type: 'float32', dims: [3], data: new Float32Array(3) } } as const;
    await expect(profileOnDevice(unary('Abs', 'float'), { ...ON_CPU, feeds })).rejects.toMatchObject({
      problem: { kind: 'inference-failed' },
    });
    await expect(profileOnDevice(join(temporaryFolder(), 'gone.onnx'), ON_CPU)).rejects.toMatchObject({
      problem: { kind: 'model-rejected-by-runtime' },
    });
  });
});
