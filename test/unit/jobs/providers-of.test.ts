import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { providersOf } from '../../../src/jobs/providers-of.ts';
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

describe('the providers of a model', () => {
  it('are those that ran its nodes, on made-up inputs', async () =>
    expect(await providersOf(unary('Abs', 'float'), ON_CPU)).toEqual({
      byProvider: { CPUExecutionProvider: { count: 1, nodes: ['only'] } },
      fellBack: [],
      hostNodes: [],
      copiesPerRun: 0,
    }));

  it('are told on the inputs that are given', async () => {
    const path = unary('Identity', 'string');
    await expect(providersOf(path, ON_CPU)).rejects.toMatchObject({
      problem: { kind: 'feeds-needed', place: { file: path } },
    });
    const feeds = { x: { type: 'string', dims: [1, 2], data: ['a', 'b'] } } as const;
    expect((await providersOf(path, { ...ON_CPU, feeds })).byProvider).toEqual({
      CPUExecutionProvider: { count: 1, nodes: ['only'] },
    });
  });

  it('are a problem for feeds that do not fit, and for a file that is no model', async () => {
    const feeds = { x: { type: 'float32', dims: [3], data: new Float32Array(3) } } as const;
    await expect(providersOf(unary('Abs', 'float'), { ...ON_CPU, feeds })).rejects.toMatchObject({
      problem: { kind: 'inference-failed' },
    });
    await expect(providersOf(join(temporaryFolder(), 'gone.onnx'), ON_CPU)).rejects.toMatchObject({
      problem: { kind: 'model-rejected-by-runtime' },
    });
  });
});
