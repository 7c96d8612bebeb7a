import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attempt } from '../../../src/core/problem.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { writeModel } from '../../../src/onnx/write-model.ts';
import { openBareSession, toTensors } from '../../../src/runtime/bare-session.ts';
import { openSession } from '../../../src/runtime/session.ts';
import { graph, model, node, value } from '../../support/graph-builder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const SETTINGS = { intraOpThreads: 1 } as const;

type GraphType = Parameters<typeof value>[1];

/** y = x, of one element type. */
function identityOf(type: GraphType): string {
  const path = join(temporaryFolder(), 'model.onnx');
  const body = graph({
    inputs: [value('x', type, ['n', 2])],
    nodes: [node('Identity', ['x'], ['y'])],
    outputs: [value('y', type, ['n', 2])],
  });
  unwrap(writeModel(model(body, { opset: 17 }), path));
  return path;
}

describe('openBareSession', () => {
  const cases: readonly [GraphType, Tensor][] = [
    ['float', { type: 'float32', dims: [1, 2], data: Float32Array.of(1.5, -2) }],
    ['double', { type: 'float64', dims: [1, 2], data: Float64Array.of(1.5, -2) }],
    ['float16', { type: 'float16', dims: [1, 2], data: Uint16Array.of(0x3e00, 0xb400) }],
    ['int8', { type: 'int8', dims: [1, 2], data: Int8Array.of(-1, 2) }],
    ['uint8', { type: 'uint8', dims: [1, 2], data: Uint8Array.of(255, 2) }],
    ['int32', { type: 'int32', dims: [1, 2], data: Int32Array.of(-7, 2) }],
    ['int64', { type: 'int64', dims: [1, 2], data: BigInt64Array.of(-7n, 2n) }],
    ['bool', { type: 'bool', dims: [1, 2], data: Uint8Array.of(1, 0) }],
    ['string', { type: 'string', dims: [1, 2], data: ['a', 'b'] }],
  ];

  it.each(cases)('names and feeds ports of %s as the public interface does', async (type, x) => {
    const path = identityOf(type);
    const bare = unwrap(openBareSession(path, SETTINGS));
    const plain = unwrap(await openSession(path, SETTINGS));
    expect(bare.inputs).toEqual(plain.inputs);
    expect(bare.outputs).toEqual(plain.outputs);
    expect(toTensors(bare.prepare({ x })())).toEqual({ y: x });
    await plain.close();
    bare.close();
  });

  it('tells why a file is no model', () => {
    const path = join(temporaryFolder(), 'noise.onnx');
    writeFileSync(path, Buffer.from('this is not a model'));
    expect(openBareSession(path, SETTINGS)).toMatchObject({
      ok: false,
      error: { kind: 'model-rejected-by-runtime', place: { file: path } },
    });
  });

  it('throws a problem where the runtime refuses the feeds', () => {
    const path = identityOf('float');
    const bare = unwrap(openBareSession(path, SETTINGS));
    const run = bare.prepare({ x: { type: 'int64', dims: [1, 2], data: BigInt64Array.of(1n, 2n) } });
    expect(attempt(run)).toMatchObject({
      ok: false,
      error: { kind: 'inference-failed', place: { file: path } },
    });
  });
});
