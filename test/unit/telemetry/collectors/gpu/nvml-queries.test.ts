import { describe, expect, it } from 'vitest';
import { DeviceGone, NvmlQueries } from '../../../../../src/telemetry/collectors/gpu/nvml/nvml-queries.ts';

describe('a question to NVML', () => {
  it.each([3, 13, 25, 26])('that is answered by %i is not asked again until the mode changes', (code) => {
    const { device, calls } = answering(code);
    expect([device.utilization(), device.utilization()]).toEqual([undefined, undefined]);
    expect(calls).toEqual(['nvmlDeviceGetUtilizationRates']);
    device.forgetUnsupported();
    device.utilization();
    expect(calls).toHaveLength(2);
  });

  it.each([2, 4, 10, 999])('that fails by %i is asked again', (code) => {
    const { device, calls } = answering(code);
    expect([device.clockHertz(0), device.clockHertz(0)]).toEqual([undefined, undefined]);
    expect(calls).toHaveLength(2);
  });

  it('that one domain does not support is asked of the others', () => {
    const { device, calls } = answering(3);
    device.clockHertz(0);
    device.clockHertz(1);
    device.clockHertz(0);
    expect(calls).toHaveLength(2);
  });

  it.each([1, 9, 15, 16, 18])('is the last when it is answered by %i', (code) =>
    expect(() => answering(code).device.powerWatts()).toThrow(DeviceGone),
  );
});

function answering(code: number) {
  const calls: string[] = [];
  const call = (name: string) => {
    calls.push(name);
    return code;
  };
  return { calls, device: new NvmlQueries({ call, unload: () => {} }, 1) };
}
