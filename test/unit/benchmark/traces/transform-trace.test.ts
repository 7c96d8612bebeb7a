import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ArrivalTrace, meanRate } from '../../../../src/benchmark/traces/arrival-trace.ts';
import {
  loopTrace,
  scaleToRate,
  speedTrace,
  windowTrace,
} from '../../../../src/benchmark/traces/transform-trace.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { dueOf, traceOf } from './trace-file-of.ts';

const S = 1e9;
const TRACE = traceOf([0, 1 * S, 3 * S, 4 * S], { samples: Uint32Array.of(5, 6, 7, 8), wrapGapNs: S });

/** Traces of two arrivals at two times, or more, over minutes or days. */
const traces = fc
  .tuple(
    fc.array(fc.integer({ min: 0, max: 1e12 }), { minLength: 1, maxLength: 30 }),
    fc.integer({ min: 1, max: 1e12 }),
  )
  .map(([gaps, last]) => {
    let sum = 0;
    return traceOf([0, ...gaps, last].map((gap) => (sum += gap)));
  });

function faultOf(result: ReturnType<typeof speedTrace>) {
  if (result.ok) throw new Error('the trace was changed');
  return result.error;
}

describe('a window', () => {
  it('holds what arrives from one time up to another, counted from the first in it', () => {
    const part = unwrap(windowTrace(TRACE, { fromSeconds: 0.5, toSeconds: 4 }));
    expect(dueOf(part)).toEqual([0, 2 * S]);
    expect(part).toMatchObject({
      samples: Uint32Array.of(6, 7),
      changes: ['from 0.5 s to 4 s'],
      source: TRACE.source,
    });
    expect(part).not.toHaveProperty('wrapGapNs');
    expect(dueOf(unwrap(windowTrace(TRACE, { fromSeconds: 3 })))).toEqual([0, S]);
    expect(dueOf(unwrap(windowTrace(TRACE, { toSeconds: 1 })))).toEqual([0]);
  });

  it.each([
    [{ fromSeconds: 5 }, 'no query arrives from 5 s to Infinity s'],
    [{ fromSeconds: 1.5, toSeconds: 3 }, 'no query arrives from 1.5 s to 3 s'],
    [{ fromSeconds: 2, toSeconds: 2 }, 'the window from 2 s to 2 s is none'],
    [{ fromSeconds: -1 }, 'the window from -1 s to Infinity s is none'],
    [{ toSeconds: Number.NaN }, 'the window from 0 s to NaN s is none'],
  ])('%j is refused', (window, message) => {
    const fault = faultOf(windowTrace(TRACE, window));
    expect(fault).toMatchObject({ kind: 'trace-setting-invalid', message, place: { field: 'window' } });
  });
});

describe('speed', () => {
  it('divides all times, and keeps the samples', () => {
    const fast = unwrap(speedTrace(TRACE, 2));
    expect(dueOf(fast)).toEqual([0, S / 2, 1.5 * S, 2 * S]);
    expect(fast).toMatchObject({ samples: TRACE.samples, wrapGapNs: S / 2, changes: ['2 times as fast'] });
  });

  it('rounds to whole nanoseconds, each time by itself', () => {
    expect(dueOf(unwrap(speedTrace(traceOf([0, 1, 2, 3, 1e15 + 1]), 3)))).toEqual([
      0, 0, 1, 1, 333333333333334,
    ]);
  });

  it.each([0, -2, Number.NaN, Number.POSITIVE_INFINITY])('of %d is refused', (factor) => {
    expect(faultOf(speedTrace(TRACE, factor)).place).toEqual({ field: 'speed' });
  });

  it('is refused where nanoseconds would be lost', () => {
    expect(faultOf(speedTrace(TRACE, 1e-7)).message).toBe('the trace would take 40000000 s');
    expect(speedTrace(TRACE, 1e-6).ok).toBe(true);
  });
});

describe('a rate', () => {
  it('is reached with the shape kept', () => {
    // Three gaps in four seconds are 0.75 queries a second.
    const scaled = unwrap(scaleToRate(TRACE, 7.5));
    expect(dueOf(scaled)).toEqual([0, 0.1 * S, 0.3 * S, 0.4 * S]);
    expect(scaled.changes).toEqual(['scaled to 7.5 queries/s']);
  });

  it('is met by any trace, to the nanosecond', () => {
    fc.assert(
      fc.property(traces, fc.double({ min: 0.01, max: 1000, noNaN: true }), (trace, rate) => {
        const { dueNs } = unwrap(scaleToRate(trace, rate));
        expect(Math.abs((dueNs.at(-1) as number) - ((dueNs.length - 1) / rate) * 1e9)).toBeLessThan(1);
      }),
    );
  });

  it('is refused for what has none, and where it is none', () => {
    expect(faultOf(scaleToRate(traceOf([0, 0]), 5))).toMatchObject({
      message: expect.stringMatching(/^all queries of the trace arrive at one time/),
      place: { field: 'rate' },
    });
    for (const rate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(faultOf(scaleToRate(TRACE, rate)).message).toBe(`${rate} is no rate`);
  });
});

describe('a loop', () => {
  it('has the gap that the trace names between its end and its start', () => {
    const loop = unwrap(loopTrace(TRACE, { times: 3 }));
    expect(dueOf(loop).map((due) => due / S)).toEqual([0, 1, 3, 4, 5, 6, 8, 9, 10, 11, 13, 14]);
    expect(loop.samples).toEqual(Uint32Array.of(5, 6, 7, 8, 5, 6, 7, 8, 5, 6, 7, 8));
    expect(loop.changes).toEqual(['3 times over']);
  });

  it('runs through request intervals as perf_analyzer does', () => {
    // 100, 200, 500 ms before each request: 0.1, 0.3, 0.8, 0.9, 1.1, 1.6 s.
    const trace = traceOf([0, 0.2 * S, 0.7 * S], { wrapGapNs: 0.1 * S });
    const sent = dueOf(unwrap(loopTrace(trace, { times: 2 }))).map((due) => (due + 0.1 * S) / S);
    expect(sent).toEqual([0.1, 0.3, 0.8, 0.9, 1.1, 1.6]);
  });

  it('keeps the mean rate of any trace that names no gap', () => {
    fc.assert(
      fc.property(traces, fc.integer({ min: 1, max: 20 }), (trace, times) => {
        const loop = unwrap(loopTrace(trace, { times }));
        expect(loop.dueNs.length).toBe(times * trace.dueNs.length);
        const gapNs = 1e9 / (meanRate(trace) as number);
        expect(Math.abs((loop.dueNs.at(-1) as number) - gapNs * (loop.dueNs.length - 1))).toBeLessThan(1);
        expect(dueOf(loop)).toEqual([...loop.dueNs].sort((a, b) => a - b));
      }),
    );
  });

  it('goes on for a duration, which may end within the trace', () => {
    const secondsOf = (durationSeconds: number) =>
      dueOf(unwrap(loopTrace(TRACE, { durationSeconds }))).map((due) => due / S);
    expect(secondsOf(9)).toEqual([0, 1, 3, 4, 5, 6, 8]);
    expect(secondsOf(9.001)).toEqual([0, 1, 3, 4, 5, 6, 8, 9]);
    expect(secondsOf(10)).toEqual([0, 1, 3, 4, 5, 6, 8, 9]);
    expect(secondsOf(0.5)).toEqual([0]);
    const loop = unwrap(loopTrace(TRACE, { durationSeconds: 6 }));
    expect(loop.samples).toEqual(Uint32Array.of(5, 6, 7, 8, 5));
    expect(loop.changes).toEqual(['over and over for 6 s']);
  });

  it('repeats one query at the gap that the trace names', () => {
    expect(dueOf(unwrap(loopTrace(traceOf([0], { wrapGapNs: 5 }), { times: 3 })))).toEqual([0, 5, 10]);
  });

  it.each<[string, ArrivalTrace]>([
    ['one query', traceOf([0])],
    ['one time', traceOf([0, 0, 0])],
    ['a gap of nothing', traceOf([0], { wrapGapNs: 0 })],
  ])('of %s is refused, as there is no gap to go by', (_what, trace) => {
    expect(faultOf(loopTrace(trace, { times: 2 })).message).toMatch(
      /^all queries of the trace arrive at one time/,
    );
    expect(faultOf(loopTrace(trace, { durationSeconds: 2 })).place).toEqual({ field: 'loop' });
  });

  it.each([
    [{ times: 0 }, '0 is no number of times'],
    [{ times: 1.5 }, '1.5 is no number of times'],
    [{ durationSeconds: 0 }, '0 s is no duration'],
    [{ durationSeconds: Number.NaN }, 'NaN s is no duration'],
    [{ times: 2 ** 25 }, 'the trace would have 134217728 arrivals over 167772160 s'],
    [{ durationSeconds: 1e15 }, 'the trace would have 800000000000000 arrivals over 1000000000000000 s'],
  ])('of %j is refused', (length, message) => {
    expect(faultOf(loopTrace(TRACE, length))).toMatchObject({ message, place: { field: 'loop' } });
  });

  it('is refused where nanoseconds would be lost, however few its arrivals', () => {
    expect(faultOf(loopTrace(traceOf([0, 1e15]), { times: 5 })).message).toMatch(/over 10000000 s$/);
    expect(loopTrace(traceOf([0, 1e15]), { times: 4 }).ok).toBe(true);
  });
});

describe('changes to a trace', () => {
  it('are told in their order, and leave the trace that they are made from alone', () => {
    const before = [...TRACE.dueNs];
    const fast = unwrap(speedTrace(unwrap(windowTrace(TRACE, { fromSeconds: 1 })), 3));
    expect(fast.changes).toEqual(['from 1 s to Infinity s', '3 times as fast']);
    expect([...TRACE.dueNs]).toEqual(before);
    expect(TRACE.changes).toEqual([]);
  });
});
