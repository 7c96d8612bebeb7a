import { describe, expect, it } from 'vitest';
import { graphRun, modelRun, nodeEvent, type ProfileEvent, partOf } from '../../support/profile-events.ts';
import { eventsOf, lineNamed, nested, partEvents, planeNamed } from '../../support/trace-events.ts';
import { build, RUNS, THREAD, TWO_RUNS, threadOf } from '../../support/two-node-trace.ts';

describe('waiting', () => {
  it('is shown from when a request was due, beside other requests', () => {
    const part = partOf(RUNS, { duesNs: [900_000, 950_000] });
    const trace = build([{ part, events: partEvents(TWO_RUNS) }]);
    const plane = planeNamed(trace, '/host:CPU');
    const queue = eventsOf(plane, lineNamed(plane, `queue of ${THREAD}`));
    const second = eventsOf(plane, lineNamed(plane, `queue of ${THREAD}, place 2`));
    expect([...queue, ...second].map(({ name, startNs, endNs }) => [name, startNs, endNs])).toEqual([
      ['wait for net fp32', 0, 98_000],
      ['wait for net fp32', 50_000, 198_000],
    ]);
    expect(trace.startNs).toBe(1_000_900_000n);
    expect(threadOf(trace)[0]?.stats).toEqual({ _r: 1, step_num: 0, 'queue wait us': 98 });
  });
});

describe('phases', () => {
  it('have lines of their own, as many as overlap', () => {
    const phases = [
      { phase: 'load', subject: 'net:fp32', startNs: 1_000_000_000n, endNs: 1_000_500_000n },
      { phase: 'bench', startNs: 1_000_500_000n, endNs: 1_002_000_000n },
      { phase: 'load', subject: 'net:int8', startNs: 1_000_600_000n, endNs: 1_000_700_000n },
    ] as const;
    const trace = build([], { phases });
    const plane = planeNamed(trace, '/host:CPU');
    expect(plane.lines.map((line) => [line.name, eventsOf(plane, line).map(({ name }) => name)])).toEqual([
      ['phases', ['load net fp32', 'bench']],
      ['phases, 2', ['load net int8']],
    ]);
    expect(trace.durationNs).toBe(2_000_000);
  });
});

describe('the pool of a session', () => {
  it('has a line for each thread that took part, which says how much of each operator it did', () => {
    const stats = (blocks: readonly number[]) => ({
      thread_scheduling_stats: {
        main_thread: {},
        sub_threads: Object.fromEntries(
          blocks.map((num_run, index) => [`14000${index}`, { num_run, core: 1 }]),
        ),
      },
    });
    const events = [
      nodeEvent('a', 'Conv', [1010, 10], stats([2, 0])),
      nodeEvent('b', 'Conv', [1030, 10], stats([1, 5])),
      modelRun([1000, 60]),
    ];
    const plane = planeNamed(
      build([{ part: partOf([[1000, 60]]), events: partEvents(events) }]),
      '/host:CPU',
    );
    const helpers = plane.lines.filter(({ name }) => name.startsWith('helper'));
    expect(
      helpers.map((line) =>
        eventsOf(plane, line).map(({ name, startNs, stats: { blocks } }) => [name, startNs, blocks]),
      ),
    ).toEqual([
      [
        ['blocks of a Conv', 12_000, 2],
        ['blocks of b Conv', 32_000, 1],
      ],
      [['blocks of b Conv', 32_000, 5]],
    ]);
  });
});

describe('the memory of a session', () => {
  const memory = (inUse: number, growth: number, peak: number) => ({
    mem_bytes_in_use: `${inUse}`,
    mem_in_use_delta: `${growth}`,
    mem_in_use_peak: `${peak}`,
    mem_arena_held: '1000',
  });

  /** What the line of the thread tells of memory, and in which operators it stands. */
  function courseOf(events: readonly ProfileEvent[]) {
    const plane = planeNamed(
      build([{ part: partOf([[1000, 60]]), events: partEvents(events) }]),
      '/host:CPU',
    );
    return nested(eventsOf(plane, lineNamed(plane, THREAD))).filter(({ name }) => name.startsWith('Memory'));
  }

  it('is a curve from the beginnings and ends of operators, with exact peaks and one label', () => {
    const course = courseOf([
      nodeEvent('a', 'Conv', [1010, 10], memory(300, 200, 300)),
      // 100 bytes were let go in between; 500 were in use for a moment.
      nodeEvent('b', 'Conv', [1030, 10], memory(250, 50, 500)),
      modelRun([1000, 60]),
    ]);
    expect(
      course.map(({ name, startNs, stats }) => [
        name.slice('Memory'.length),
        startNs,
        stats['bytes_allocated'],
        stats['peak_bytes_in_use'],
        stats['allocation_bytes'],
        stats['bytes_available'],
      ]),
    ).toEqual([
      ['Allocation', 12_000, 100, 100, 100, 900],
      ['Allocation', 22_000, 300, 300, 200, 700],
      ['Deallocation', 32_000, 200, 300, 100, 800],
      ['Allocation', 42_000, 500, 500, 300, 500],
      ['Deallocation', 42_000, 250, 500, 250, 750],
    ]);
    expect(
      course.every(({ depth, stats }) => depth > 1 && stats['requested_bytes'] === stats['allocation_bytes']),
    ).toBe(true);
    expect([...new Set(course.map(({ kind }) => JSON.stringify(kind.stats)))]).toEqual([
      '{"allocator_name":"fp32, lane 1","tf_op":"arena","region_type":"dynamic"}',
    ]);
  });

  it('lets go of the newest first, as nobody tells', () => {
    const course = courseOf([
      nodeEvent('a', 'Conv', [1010, 5], memory(300, 200, 300)),
      nodeEvent('b', 'Conv', [1020, 5], memory(150, 0, 300)),
      nodeEvent('c', 'Conv', [1030, 5], memory(40, 0, 300)),
      modelRun([1000, 60]),
    ]);
    // Of the 150 bytes that go first no block is whole; the 110 that follow are the rest of the second and some of the first.
    expect(course.map(({ stats }) => [stats['bytes_allocated'], stats['addr']])).toEqual([
      [100, 1],
      [300, 2],
      [150, 0],
      [40, 2],
    ]);
  });

  it('follows the operators of bodies', () => {
    const course = courseOf([
      nodeEvent('in', 'Mul', [1021, 2], memory(150, 50, 150)),
      graphRun([1021, 3]),
      nodeEvent('if', 'If', [1020, 10], memory(120, 20, 150)),
      graphRun([1010, 40]),
      modelRun([1000, 60]),
    ]);
    expect(course.map(({ stats }) => stats['bytes_allocated'])).toEqual([100, 150, 120]);
  });
});

describe('a window', () => {
  const part = { part: partOf(RUNS), events: partEvents(TWO_RUNS) };
  const window = (fromUs: number, toUs: number) => ({
    fromNs: 1_000_000_000n + BigInt(fromUs) * 1000n,
    toNs: 1_000_000_000n + BigInt(toUs) * 1000n,
  });

  it('has the requests that overlap it, whole', () => {
    const trace = build([part], { window: window(1130, 1140) });
    const events = threadOf(trace);
    expect(events.filter(({ depth }) => depth === 0)).toHaveLength(1);
    expect(events[0]).toMatchObject({ startNs: 0, endNs: 64_000 });
    expect(trace.startNs).toBe(1_001_098_000n);
  });

  it('without any is as long as it is', () => {
    const trace = build([part], { window: window(2000, 3000) });
    expect(planeNamed(trace, '/host:CPU').lines).toEqual([]);
    expect([trace.startNs, trace.durationNs]).toEqual([1_002_000_000n, 1_000_000]);
    expect(trace.warnings).toEqual([]);
  });

  it('cuts phases and counters', () => {
    const phases = [{ phase: 'bench', startNs: 0n, endNs: 9_000_000_000n }] as const;
    const counters = {
      startNs: 1_000_000_000n,
      stepNs: 500_000n,
      points: 10,
      columns: [{ name: 'paging.majorFaults', isRate: true, mean: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] }],
    };
    const trace = build([], { phases, counters, window: window(2000, 3000) });
    const plane = planeNamed(trace, '/host:CPU');
    expect(eventsOf(plane, lineNamed(plane, 'phases'))).toMatchObject([{ startNs: 0, endNs: 1_000_000 }]);
    const telemetry = planeNamed(trace, '/device:CUSTOM:telemetry');
    expect(
      eventsOf(telemetry, lineNamed(telemetry, '_counters_')).map(({ startNs, stats }) => [
        startNs,
        stats['value'],
      ]),
    ).toEqual([
      [0, 4],
      [500_000, 5],
      [1_000_000, 6],
    ]);
  });
});
