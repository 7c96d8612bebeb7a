import { describe, expect, it } from 'vitest';
import { kernelTimes } from '../../../../src/quantization/latency/kernel-times.ts';

function call(
  node: string,
  durationNs: number,
  more: { readonly shapes?: string; readonly bytes?: number } = {},
) {
  return { node, op: 'Conv', durationNs, outputBytes: more.bytes ?? 4, inputShapes: more.shapes ?? node };
}

const nsOf = (times: ReturnType<typeof kernelTimes>) =>
  Object.fromEntries(times.map(({ node, ns }) => [node, ns]));

describe('times of kernels', () => {
  it('are those of the faster runs, which other work on the host has not slowed', () => {
    const runs = [10, 12, 900, 14].map((ns) => ({ calls: [call('a', ns)] }));
    expect(nsOf(kernelTimes(runs, 1000))).toEqual({ a: 11 });
  });

  it('lose in equal parts what the profile itself took', () => {
    const runs = [{ calls: [call('a', 30), call('b', 10)] }];
    expect(nsOf(kernelTimes(runs, 30))).toEqual({ a: 25, b: 5 });
  });

  it('are never below nothing, and never raised where the profile was the faster one', () => {
    const calls = [call('a', 30), call('b', 2)];
    expect(nsOf(kernelTimes([{ calls }], 12))).toEqual({ a: 20, b: 0 });
    expect(nsOf(kernelTimes([{ calls }], 500))).toEqual({ a: 30, b: 2 });
  });

  it('are shared by nodes that do equal work, and by no others', () => {
    const same = { shapes: '[1,8]' };
    const calls = [call('a', 10, same), call('b', 30, same), call('c', 50, { ...same, bytes: 8 })];
    expect(nsOf(kernelTimes([{ calls }], 90))).toEqual({ a: 20, b: 20, c: 50 });
  });

  it('add up the calls of a node in a body that runs several times', () => {
    const runs = [{ calls: [call('a', 10), call('a', 14), call('b', 6)] }];
    // Three calls in 30 ns took 3 ns too long, so each loses 1.
    expect(nsOf(kernelTimes(runs, 27))).toEqual({ a: 22, b: 5 });
  });
});
