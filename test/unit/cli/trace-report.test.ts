import { describe, expect, it } from 'vitest';
import { renderOperators } from '../../../src/cli/trace-report.ts';
import type { TracedModel } from '../../../src/jobs/trace-task.ts';

const model: TracedModel = {
  modelId: 'm',
  device: 'cuda',
  requests: 2,
  operatorSeconds: 0.004,
  deviceKernels: 0,
  operators: [{ op: 'Conv', calls: 104, seconds: 0.004, timeRatio: 1, flopsPerSecond: null }],
};

describe('the operators of a trace', () => {
  it('say of a device what their times are, and whether its kernels were recorded', () => {
    expect(renderOperators([model])).toMatch(/^m: 2 calls, 2\.00 ms in operators each\n/);
    expect(renderOperators([model])).toContain(
      'handing work to cuda; ONNX Runtime recorded none of its kernels',
    );
    expect(renderOperators([{ ...model, deviceKernels: 104 }])).toContain('its kernels are in the trace');
  });

  it('are measured themselves on the CPU', () =>
    expect(renderOperators([{ ...model, device: 'cpu' }])).not.toContain('handing work'));
});
