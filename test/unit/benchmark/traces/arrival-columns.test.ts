import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/benchmark/random.ts';
import { ArrivalColumns } from '../../../../src/benchmark/traces/arrival-columns.ts';

const FACTS = { file: 'a', format: 'aiperf', nsPerUnit: 10, notes: [] } as const;

describe('arrivals as they are read', () => {
  it('are sorted by time, those of one time in the order of the file, however many they are', () => {
    const random = seededRandom(3);
    for (const count of [1, 2, 1024, 1025, 5000]) {
      const arrivals = Array.from({ length: count }, (_, at) => ({
        time: Math.floor(random() * 500),
        sample: at,
      }));
      const columns = new ArrivalColumns();
      for (const { time, sample } of arrivals) columns.add(time, sample);
      const { dueNs, samples } = columns.finish(FACTS);
      const sorted = arrivals.toSorted((a, b) => a.time - b.time);
      const first = sorted[0]?.time as number;
      expect([...dueNs]).toEqual(sorted.map(({ time }) => (time - first) * 10));
      expect([...(samples ?? [])]).toEqual(sorted.map(({ sample }) => sample));
    }
  });

  it('say how many came after a later one', () => {
    const columns = new ArrivalColumns();
    for (const time of [1, 5, 2, 3, 5, 6, 4]) columns.add(time);
    expect(columns.finish({ ...FACTS, notes: ['b'] })).toMatchObject({
      dueNs: Float64Array.of(0, 10, 20, 30, 40, 40, 50),
      source: { notes: ['3 of 7 arrivals were out of order and have been sorted', 'b'] },
    });
  });

  it('hold no more memory than they need when they are done', () => {
    const columns = new ArrivalColumns();
    for (let time = 0; time < 3000; time += 1) columns.add(time, time);
    const { dueNs, samples } = columns.finish(FACTS);
    expect([dueNs.buffer.byteLength, samples?.buffer.byteLength]).toEqual([24_000, 12_000]);
  });
});
