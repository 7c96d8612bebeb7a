import { describe, expect, it } from 'vitest';
import type { LiveSystem } from '../../../src/jobs/live-system.ts';
import { startVariant } from '../../../src/jobs/variant-sut.ts';
import { fakeWorker } from '../../support/fake-worker.ts';
import { settingsOf } from '../benchmark/fakes.ts';

async function identityOf(more: object) {
  const request = {
    model: 'tiny',
    variants: [],
    data: { spec: { path: 'data.npz' }, split: 'eval' },
    threads: 2,
    settings: settingsOf({}),
    ...more,
  };
  const { sut, worker } = startVariant(request, { variant: 'int8', path: 'good.onnx' }, fakeWorker());
  await worker.close();
  return sut.identity;
}

describe('startVariant', () => {
  it('lets others look on, once it loads, and do something before its process is ended', async () => {
    const systems: LiveSystem[] = [];
    const worker = fakeWorker();
    const request = {
      model: 'tiny',
      variants: [],
      data: { spec: { path: 'data.npz' }, split: 'eval' },
      threads: 1,
      settings: settingsOf({}),
    };
    const { sut } = startVariant(
      request,
      { variant: 'int8', path: 'good.onnx' },
      { entry: worker.entry, onSystem: (system) => void systems.push(system) },
    );
    expect(systems).toEqual([]);
    const loaded = sut.handle.load();
    expect(systems.map(({ identity }) => identity.variant)).toEqual(['int8']);
    const [system] = systems;
    const events: string[] = [];
    system?.onEvent(({ kind }) => void events.push(kind));
    system?.tell({ verb: 'trace', spool: { folder: '/spool', modelId: 'tiny:int8', thread: 'bench' } });
    await loaded;
    await expect.poll(() => events).toEqual(['trace-begun']);
    system?.beforeClose(async () => void events.push('before the end'));
    await sut.handle.close();
    expect(events).toEqual(['trace-begun', 'before the end']);
    expect((await system?.exited)?.kind).toBe('worker-killed');
    expect(worker.requests()).toEqual(['sut good.onnx', 'trace good.onnx']);
  });

  it('has what its process held of GPUs before it is checked, where somebody reads that', async () => {
    const worker = fakeWorker();
    const request = {
      model: 'tiny',
      variants: [],
      data: { spec: { path: 'data.npz' }, split: 'eval' },
      threads: 1,
      settings: settingsOf({}),
    };
    const usageWith = async (host: object) => {
      const of = { variant: 'int8', path: 'good.onnx' };
      const started = startVariant(request, of, { entry: worker.entry, ...host });
      await started.sut.handle.load();
      const usage = await started.sut.handle.finish();
      await started.sut.handle.close();
      return { usage, pid: started.worker.pid };
    };
    const asked: { pid: number; after: string | undefined }[] = [];
    const peakGpuMemoryBytes = async (pid: number) => {
      asked.push({ pid, after: worker.requests().at(-1) });
      return 9_000;
    };
    const { usage, pid } = await usageWith({ peakGpuMemoryBytes });
    expect(usage).toMatchObject({ ok: true, value: { peakGpuMemoryBytes: 9_000, arenaBytes: 4096 } });
    expect(asked).toEqual([{ pid, after: 'sut good.onnx' }]);
    expect((await usageWith({})).usage).toMatchObject({ value: { peakGpuMemoryBytes: null } });
  });

  it('names what is measured, and the provider of its device', async () => {
    expect(await identityOf({})).toEqual({
      model: 'tiny',
      variant: 'int8',
      device: 'cpu',
      provider: 'CPUExecutionProvider',
      threads: 2,
    });
    expect(await identityOf({ device: 'webgpu' })).toMatchObject({
      device: 'webgpu',
      provider: 'WebGpuExecutionProvider',
    });
  });

  it('leaves the number of threads open where the runtime chooses', async () =>
    expect(await identityOf({ threads: 0 })).toMatchObject({ threads: null }));
});
