import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readArrivalTrace } from '../../../../src/benchmark/traces/read-arrival-trace.ts';
import { traceRecords } from '../../../../src/benchmark/traces/trace-records.ts';
import { writeJsonLines } from '../../../../src/jobs/write-lines.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { dueOf, traceOf } from './trace-file-of.ts';

// A double holds whole nanoseconds of a fraction of microseconds this far.
const FIFTY_DAYS_NS = 50 * 86_400 * 1e9;

describe('the records of a trace', () => {
  it('are a header with the number of arrivals, and a line each', async () => {
    const file = join(temporaryFolder(), 'traces', 'a.jsonl');
    const trace = traceOf([0, 1_250_000, 1_250_001], { samples: Uint32Array.of(3, 0, 3), wrapGapNs: 2500 });
    await writeJsonLines(file, traceRecords(trace, { host: 'a' }));
    expect(readFileSync(file, 'utf8').split('\n')).toEqual([
      '{"host":"a","format":"ptq-agent-trace","version":1,"count":3,"wrap_gap_us":2.5}',
      '{"t_us":0,"sample":3}',
      '{"t_us":1250,"sample":0}',
      '{"t_us":1250.001,"sample":3}',
      '',
    ]);
    const read = unwrap(await readArrivalTrace(file));
    expect(read).toMatchObject({ dueNs: trace.dueNs, samples: trace.samples, wrapGapNs: 2500 });
  });

  it('cannot be called something else by the facts that go with them', () => {
    const [header] = traceRecords(traceOf([0]), { format: 'x', count: 9 });
    expect(header).toMatchObject({ format: 'ptq-agent-trace', count: 1 });
  });

  it('give back every nanosecond and every sample when they are read', async () => {
    const file = join(temporaryFolder(), 'a.jsonl');
    const arrivals = fc.array(
      fc.tuple(fc.integer({ min: 0, max: FIFTY_DAYS_NS }), fc.integer({ min: 0, max: 0xffff_ffff })),
      { minLength: 1, maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(arrivals, fc.boolean(), async (list, hasSamples) => {
        const times = list.map(([time]) => time).sort((a, b) => a - b);
        const due = times.map((time) => time - (times[0] as number));
        const samples = Uint32Array.from(list, ([, sample]) => sample);
        await writeJsonLines(file, traceRecords(traceOf(due, hasSamples ? { samples } : {})));
        const read = unwrap(await readArrivalTrace(file));
        expect(dueOf(read)).toEqual(due);
        expect(read.samples).toEqual(hasSamples ? samples : undefined);
      }),
      { numRuns: 60 },
    );
  });
});
