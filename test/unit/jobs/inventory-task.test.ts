import { describe, expect, it } from 'vitest';
import { problem } from '../../../src/core/problem.ts';
import { err, ok } from '../../../src/core/result.ts';
import { withDriversGpus } from '../../../src/jobs/inventory-task.ts';
import type { GpusReading } from '../../../src/telemetry/collectors/gpu/gpu-reading.ts';

const H200: GpusReading = {
  backend: 'nvml',
  driverVersion: '580.159.04',
  gpus: [
    {
      uuid: 'GPU-1',
      index: 0,
      name: 'NVIDIA H200',
      state: 'ok',
      memory: { totalBytes: 150754820096, usedBytes: 0, freeBytes: 150754820096 },
    },
    { uuid: 'GPU-2', index: 1, name: 'NVIDIA H200', state: 'lost' },
  ],
};
const told = { vendor: 'NVIDIA', model: 'NVIDIA H200', driverVersion: '580.159.04' };

describe('the GPUs of an inventory', () => {
  it('are those that the driver tells of where lspci finds none, the lost ones among them', () => {
    expect(withDriversGpus({ gpus: [] }, ok(H200)).gpus).toEqual([
      { ...told, memoryBytes: 150754820096 },
      told,
    ]);
    expect(withDriversGpus({}, ok(H200)).gpus).toHaveLength(2);
  });

  it('are each there once, and those of other vendors stay', () => {
    const found = [
      { vendor: 'NVIDIA Corporation', model: 'GH100 [H200]' },
      { vendor: 'ASPEED Technology, Inc.', model: 'ASPEED Graphics Family' },
    ];
    expect(withDriversGpus({ gpus: found }, ok(H200)).gpus?.map(({ model }) => model)).toEqual([
      'NVIDIA H200',
      'NVIDIA H200',
      'ASPEED Graphics Family',
    ]);
  });

  it('stay as they were found where no driver of NVIDIA answers', () => {
    const inventory = { gpus: [{ vendor: 'Intel', model: 'Arc A770' }] };
    expect(withDriversGpus(inventory, err(problem('absent', 'no GPU')))).toBe(inventory);
    expect(withDriversGpus(inventory, ok({ ...H200, backend: 'sysfs' }))).toBe(inventory);
  });
});
