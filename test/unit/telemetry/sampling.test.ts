import { describe, expect, it } from 'vitest';
import type { CollectorTable } from '../../../src/telemetry/collectors/all.ts';
import { decodeSnapshots } from '../../../src/telemetry/sampler-messages.ts';
import { Sampling } from '../../../src/telemetry/sampling.ts';
import { fixtureHost } from './host-tree.ts';

const TABLE: CollectorTable = {
  cpu: { source: 'host', create: () => () => ({ ok: true, value: undefined }) },
};

/** Samples by a clock that stands still but for the waits; `written` has, of each hand-over, how long before each of its ticks was. */
function setUp(intervalMs: number) {
  let nowMs = 0;
  const written: (readonly number[])[] = [];
  const sampling = new Sampling(
    TABLE,
    { source: 'host', roots: fixtureHost, intervalMs, pids: [], leftOut: [] },
    {
      write: (line) =>
        written.push(decodeSnapshots(line).map(({ tickNs }) => Math.round(nowMs - Number(tickNs) / 1e6))),
      activity: { enter: () => {}, leave: () => {}, close: () => {} },
      clock: { nowNs: () => BigInt(Math.round(nowMs * 1e6)), wallMs: () => nowMs },
    },
  );
  return {
    sampling,
    written,
    runUntil: (endMs: number) => {
      while (nowMs <= endMs) nowMs += sampling.turn();
    },
  };
}

describe('Sampling', () => {
  it('hands the first sample over at once, and then those of 0.8 s together', () => {
    const { written, runUntil } = setUp(100);
    runUntil(1_850);
    const together = [800, 700, 600, 500, 400, 300, 200, 100, 0];
    expect(written).toEqual([[0], together, together]);
  });

  it('hands over forty together at most, at whatever rate', () => {
    const { written, runUntil } = setUp(2);
    runUntil(200);
    expect(written.map((ages) => ages.length)).toEqual([1, 40, 40]);
  });

  it.each([250, 500, 1000])('hands over at once what comes every %d ms', (intervalMs) => {
    const { written, runUntil } = setUp(intervalMs);
    runUntil(3 * intervalMs);
    expect(written).toEqual([[0], [0], [0], [0]]);
  });

  it('takes a sample when it is asked for one, and hands all over that there is', () => {
    const { sampling, written, runUntil } = setUp(100);
    runUntil(250);
    sampling.obey({ type: 'sample' });
    expect(written.at(-1)).toEqual([200, 100, 0]);
    sampling.obey({ type: 'setIntervalMs', intervalMs: 20 });
    expect(sampling.turn()).toBe(20);
    expect(written.at(-1)).toEqual([0]);
  });

  it('takes none when it is woken early', () => {
    const { written, sampling } = setUp(1000);
    expect(sampling.turn()).toBe(1000);
    expect(sampling.turn()).toBe(1000);
    expect(written).toHaveLength(1);
  });
});
