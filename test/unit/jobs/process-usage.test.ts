import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { processUsage, usageBetween } from '../../../src/jobs/process-usage.ts';

describe('processUsage', () => {
  it('counts CPU time and waits of threads that have ended', async () => {
    const before = processUsage();
    const script = `
      const wait = new Int32Array(new SharedArrayBuffer(4));
      for (let i = 0; i < 200; i += 1) Atomics.wait(wait, 0, 0, 1);
      const end = process.hrtime.bigint() + 200_000_000n;
      while (process.hrtime.bigint() < end);`;
    const thread = new Worker(script, { eval: true });
    await once(thread, 'exit');
    const used = usageBetween(before, processUsage());
    expect(used.voluntaryContextSwitches).toBeGreaterThanOrEqual(200);
    expect(used.cpuSeconds).toBeGreaterThan(0.02);
  });

  it.skipIf(process.platform !== 'linux')('is that of the whole process (skipped off Linux)', () => {
    const own = /^voluntary_ctxt_switches:\s*(\d+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    const usage = processUsage();
    expect(usage.voluntaryContextSwitches).toBeGreaterThanOrEqual(Number(own));
    expect(usage.peakRssBytes).toBeGreaterThan(10e6);
    expect(usage.majorPageFaults).toBeGreaterThanOrEqual(0);
    expect(usage.involuntaryContextSwitches).toBeGreaterThan(0);
  });
});

it('takes one moment from another, and keeps the peak', () => {
  const usage = (n: number) => ({
    cpuSeconds: n,
    voluntaryContextSwitches: 10 * n,
    involuntaryContextSwitches: 100 * n,
    majorPageFaults: 1000 * n,
    peakRssBytes: 5000 + n,
  });
  expect(usageBetween(usage(1), usage(3))).toEqual({
    cpuSeconds: 2,
    voluntaryContextSwitches: 20,
    involuntaryContextSwitches: 200,
    majorPageFaults: 2000,
    peakRssBytes: 5003,
  });
});
