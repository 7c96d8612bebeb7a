import { describe, expect, it } from 'vitest';
import { sweepFindings } from '../../../../src/benchmark/sweep/sweep-findings.ts';
import { rowOf } from '../../../support/sweep-row.ts';

const onlySpeed = { withMemory: false };

describe('sweepFindings', () => {
  const rows = [
    rowOf({ batch: 1 }, { throughputs: [100, 101], p99: 0.01, peakRssBytes: 50 }),
    rowOf({ batch: 4 }, { throughputs: [200, 202], p99: 0.02, peakRssBytes: 60 }),
    rowOf({ batch: 1, threads: 2 }, { throughputs: [150, 151], p99: 0.03, peakRssBytes: 40 }),
    rowOf({ batch: 1, concurrency: 2 }, { throughputs: [180, 182], p99: 0.012, peakRssBytes: 70 }),
  ];

  it('has on the front what nothing beats, and names the best by throughput and by latency', () => {
    expect(sweepFindings(rows, onlySpeed)).toMatchObject({
      validOnly: true,
      objectives: ['throughput', 'p99'],
      front: [0, 1, 3],
      highestThroughput: 1,
      asHighThroughput: [],
      lowestLatency: 0,
    });
  });

  it('counts memory where it is asked to', () => {
    expect(sweepFindings(rows, { withMemory: true })).toMatchObject({
      objectives: ['throughput', 'p99', 'peak memory'],
      front: [0, 1, 2, 3],
    });
  });

  it('goes by CPU time where a schedule decides over the throughput', () => {
    expect(sweepFindings(rows, { withMemory: false, isScheduled: true })).toMatchObject({
      objectives: ['CPU time a sample', 'p99'],
      front: [0, 1, 3],
      highestThroughput: null,
      asHighThroughput: [],
      lowestLatency: 0,
      lanes: [],
    });
  });

  it('holds lanes against the own threads of the runtime, repetition by repetition', () => {
    const [gain] = sweepFindings(rows, onlySpeed).lanes;
    expect(gain).toMatchObject({ model: 'a', ownThreads: 1, lanes: 3 });
    expect(gain?.ratio).toBeCloseTo(0.9, 2);
    expect(gain?.interval?.lower).toBeLessThanOrEqual(0.9);
    expect(gain?.interval?.upper).toBeGreaterThanOrEqual(0.9);
  });

  it('does not compare a model with lanes of another', () => {
    const others = [rows[0], rowOf({ model: 'b', concurrency: 2 }, { throughputs: [300, 300], p99: 0.01 })];
    expect(sweepFindings(others as typeof rows, onlySpeed).lanes).toEqual([]);
  });

  it('names what the repetitions cannot tell from the highest', () => {
    const close = [
      rowOf({ batch: 1 }, { throughputs: [101, 100, 102, 100], p99: 0.01 }),
      rowOf({ batch: 4 }, { throughputs: [100, 102, 101, 102], p99: 0.02 }),
      rowOf({ batch: 8 }, { throughputs: [97, 98, 98, 98], p99: 0.02 }),
    ];
    expect(sweepFindings(close, onlySpeed)).toMatchObject({ highestThroughput: 1, asHighThroughput: [0] });
  });

  it('leaves out what is not valid, unless nothing is', () => {
    const doubtful = { throughputs: [900, 900], p99: 0.001, valid: false };
    const findings = sweepFindings([...rows, rowOf({ batch: 8 }, doubtful)], onlySpeed);
    expect(findings).toMatchObject({ validOnly: true, front: [0, 1, 3] });
    expect(sweepFindings([rowOf({}, doubtful)], onlySpeed)).toMatchObject({ validOnly: false, front: [0] });
  });

  it('says which figure a row lacks', () => {
    const slow = rowOf({ batch: 16 }, { throughputs: [500, 500], p99: null });
    expect(sweepFindings([...rows, slow], onlySpeed)).toMatchObject({
      front: [0, 1, 3],
      withoutFigure: [{ row: 4, missing: ['p99'] }],
      highestThroughput: 4,
    });
  });

  it('finds nothing in rows that failed', () => {
    const failed = rowOf({}, { throughputs: [], p99: null, valid: false });
    expect(sweepFindings([failed], onlySpeed)).toEqual({
      validOnly: true,
      objectives: ['throughput', 'p99'],
      front: [],
      withoutFigure: [],
      highestThroughput: null,
      asHighThroughput: [],
      lowestLatency: null,
      lanes: [],
    });
  });
});
