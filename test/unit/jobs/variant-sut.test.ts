import { describe, expect, it } from 'vitest';
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
