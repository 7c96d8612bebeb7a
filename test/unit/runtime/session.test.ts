import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeFloat16 } from '../../../src/core/float16.ts';
import type { OnnxModel } from '../../../src/onnx/model-file.ts';
import { writeModel } from '../../../src/onnx/write-model.ts';
import { deviceAvailability } from '../../../src/runtime/devices.ts';
import { thisMachine } from '../../../src/runtime/machine.ts';
import { openSession, sessionOptions } from '../../../src/runtime/session.ts';
import { graph, model, node, value } from '../../support/graph-builder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const SETTINGS = { intraOpThreads: 1 } as const;

/** y = x + x, of one element type. */
function doubling(type: 'float' | 'float16' | 'int64'): OnnxModel {
  return model(
    graph({
      inputs: [value('x', type, ['n', 2])],
      nodes: [node('Add', ['x', 'x'], ['y'])],
      outputs: [value('y', type, ['n', 2])],
    }),
    { opset: 17 },
  );
}

function fileOf(given: OnnxModel): string {
  const path = join(temporaryFolder(), 'model.onnx');
  unwrap(writeModel(given, path));
  return path;
}

describe('openSession', () => {
  it('tells names, element types and dimensions, those that vary by name', async () => {
    const session = unwrap(await openSession(fileOf(doubling('int64')), SETTINGS));
    expect(session.inputs).toEqual([{ name: 'x', type: 'int64', dims: ['n', 2] }]);
    expect(session.outputs).toEqual([{ name: 'y', type: 'int64', dims: ['n', 2] }]);
    const { y } = await session.run({ x: { type: 'int64', dims: [1, 2], data: BigInt64Array.of(2n, -3n) } });
    expect(y).toEqual({ type: 'int64', dims: [1, 2], data: BigInt64Array.of(4n, -6n) });
    await session.close();
  });

  it('carries half floats as their bits, in and out, whatever arrays the language has', async () => {
    const session = unwrap(await openSession(fileOf(doubling('float16')), SETTINGS));
    const bits = (...values: number[]) => Uint16Array.from(values, encodeFloat16);
    const feeds = { x: { type: 'float16', dims: [1, 2], data: bits(1.5, -0.25) } } as const;
    expect((await session.run(feeds))['y']).toEqual({ type: 'float16', dims: [1, 2], data: bits(3, -0.5) });
    await expect(session.prepare(feeds)()).resolves.toBeUndefined();
    await session.close();
  });

  it('gives the reason why a file is no model, in words without source files of the runtime', async () => {
    const path = join(temporaryFolder(), 'noise.onnx');
    writeFileSync(path, Buffer.from('this is not a model'));
    const opened = await openSession(path, SETTINGS);
    expect(opened).toMatchObject({
      ok: false,
      error: { kind: 'model-rejected-by-runtime', place: { file: path } },
    });
    expect(opened.ok ? '' : opened.error.message).not.toMatch(/\.cc:\d/);
  });

  it('rejects feeds that do not fit with a problem, not with a stack', async () => {
    const session = unwrap(await openSession(fileOf(doubling('float')), SETTINGS));
    const wrong = { x: { type: 'float32', dims: [1, 3], data: new Float32Array(3) } } as const;
    await expect(session.run(wrong)).rejects.toMatchObject({ problem: { kind: 'inference-failed' } });
    await session.close();
  });
});

describe('a session on a device', () => {
  const absent = deviceAvailability(thisMachine()).filter(({ available }) => !available);

  it.each(absent)(
    'is refused where $device is absent, with what is missing and what to do',
    async ({ device, reason, howToGet }) =>
      expect(await openSession(fileOf(doubling('float')), { ...SETTINGS, device })).toEqual({
        ok: false,
        error: {
          kind: 'device-unavailable',
          message: `the device ${device} is not available: ${reason}`,
          hint: howToGet,
        },
      }),
  );

  it('asks the runtime for all that is beside its own options at once', () => {
    const { extra } = sessionOptions({ ...SETTINGS, sleeps: true, keepsConversions: true });
    expect(extra).toEqual({ session: { disable_quant_qdq: '1', intra_op: { allow_spinning: '0' } } });
    expect(sessionOptions(SETTINGS)).not.toHaveProperty('extra');
  });

  it('has that provider alone, and TensorRT leaves to CUDA what it cannot compile', () => {
    const providers = (device?: 'cpu' | 'webgpu' | 'cuda' | 'tensorrt') =>
      sessionOptions(device === undefined ? SETTINGS : { ...SETTINGS, device }).executionProviders;
    expect(providers()).toEqual(['cpu']);
    expect(providers('webgpu')).toEqual(['webgpu']);
    expect(providers('cuda')).toEqual(['cuda']);
    expect(providers('tensorrt')).toEqual(['tensorrt', 'cuda']);
  });
});
