import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readArrivalTrace } from '../../../src/benchmark/traces/read-arrival-trace.ts';
import { arrivalLines, orderLines } from '../../../src/jobs/recorded-arrivals.ts';
import { suiteRunOf } from '../../support/bench-runs.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

describe('arrivalLines', () => {
  it('records when queries were due and which samples they took, so that a replay does the same', async () => {
    const trace = {
      kind: 'trace',
      dueNs: Float64Array.of(0, 1e6, 2.5e6),
      samples: Uint32Array.of(3, 0, 1),
    } as const;
    // The system is slower than the arrivals, which must not show in the recording.
    const run = await suiteRunOf({ a: () => 5e6 }, { scenario: 'replay', trace, rounds: 1 });
    const file = join(temporaryFolder(), 'recorded.jsonl');
    writeFileSync(file, [...arrivalLines([run])].join(''));
    const recorded = unwrap(await readArrivalTrace(file));
    expect(recorded.dueNs).toEqual(trace.dueNs);
    expect(recorded.samples).toEqual(trace.samples);
  });

  it('is empty where nothing was measured', async () => {
    const run = await suiteRunOf({ a: () => 1e6 }, { rounds: 1, minDurationSeconds: 0.01, minQueries: 1 });
    const records = run.run.records.map((record) => ({ ...record, rounds: [] }));
    expect([...arrivalLines([{ ...run, run: { ...run.run, records } }])]).toEqual([]);
  });
});

describe('orderLines', () => {
  it('gives the times of orders as a trace, in order though the clock was set back', async () => {
    const file = join(temporaryFolder(), 'orders.jsonl');
    writeFileSync(file, [...orderLines([1_760_000_000_000, 1_760_000_002_500, 1_760_000_001_000])].join(''));
    expect(unwrap(await readArrivalTrace(file)).dueNs).toEqual(Float64Array.of(0, 1e9, 2.5e9));
  });

  it('has a header alone where nothing was ordered', () => {
    expect([...orderLines([])].map((line) => JSON.parse(line))).toMatchObject([{ count: 0 }]);
  });
});
