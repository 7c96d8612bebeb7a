import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Peaks } from '../../../src/trace/roofline/peaks.ts';
import { graphRun, modelRun, nodeEvent, partOf, sessionEvent } from '../../support/profile-events.ts';
import { randomRun } from '../../support/random-profile.ts';
import { partEvents, type ReadEvent } from '../../support/trace-events.ts';
import { build, HOST, RUNS, THREAD, TWO_RUNS, threadOf, twoNodes } from '../../support/two-node-trace.ts';

/** As a tree is written: two blanks a level. */
const outline = (events: readonly (ReadEvent & { readonly depth: number })[]) =>
  events.map(({ name, depth }) => '  '.repeat(depth) + name);

describe('the trace of a session', () => {
  it('has a step for each request, in it the run of the session, and in that the operators', () => {
    const trace = build([{ part: partOf(RUNS), events: partEvents(TWO_RUNS) }]);
    const events = threadOf(trace);
    const request = [
      'net fp32',
      '  SessionRun',
      '    SequentialExecutor::Execute',
      '      conv:Conv',
      '      relu:Relu',
    ];
    expect(outline(events)).toEqual([...request, ...request]);
    const [root, run] = events;
    expect(root?.stats).toEqual({ _r: 1, step_num: 0 });
    expect(run?.stats).toEqual({ id: 0 });
    expect(run?.kind.stats).toEqual({ model_id: 'net:fp32' });
    expect(events[5]?.stats).toEqual({ _r: 1, step_num: 1 });
    expect(trace.warnings).toEqual([]);
  });

  it('begins with its first event and ends with its last, on both clocks', () => {
    const trace = build([{ part: partOf(RUNS), events: partEvents(TWO_RUNS) }]);
    expect(trace.startNs).toBe(1_000_998_000n);
    expect(trace.startWallMs).toBeCloseTo(HOST.wallMs - 999.002, 6);
    expect(trace.durationNs).toBe(164_000);
    const events = threadOf(trace);
    expect([events[0]?.startNs, events[0]?.endNs]).toEqual([0, 64_000]);
    expect([events[3]?.startNs, events[3]?.endNs]).toEqual([12_000, 42_000]);
  });

  it('has the operators of bodies within their operator, and of repeated ones each turn', () => {
    const events = [
      nodeEvent('first', 'Add', [1011, 3]),
      nodeEvent('in_body', 'Mul', [1021, 2]),
      graphRun([1021, 3]),
      nodeEvent('in_body', 'Mul', [1026, 2]),
      nodeEvent('deep', 'Sub', [1030, 1]),
      graphRun([1030, 1]),
      nodeEvent('inner', 'If', [1029, 3]),
      graphRun([1026, 6]),
      nodeEvent('outer', 'Loop', [1020, 13]),
      nodeEvent('last', 'Add', [1040, 3]),
      graphRun([1010, 40]),
      modelRun([1000, 60]),
    ];
    const lines = outline(threadOf(build([{ part: partOf([[1000, 60]]), events: partEvents(events) }])));
    expect(lines.slice(3).map((line) => line.slice(6))).toEqual([
      'first:Add',
      'outer:Loop',
      '  in_body:Mul',
      '  in_body:Mul',
      '  inner:If',
      '    deep:Sub',
      'last:Add',
    ]);
  });

  it('moves what seems to end behind its operator, as times are cut to whole microseconds, and keeps its duration', () => {
    // In truth 1020.9 to 1031.8, and in it 1021.0 to 1026.0 and 1026.1 to 1031.7.
    const events = [
      nodeEvent('a', 'Mul', [1021, 5]),
      nodeEvent('b', 'Mul', [1026, 5]),
      graphRun([1020, 10]),
      nodeEvent('if', 'If', [1020, 10]),
      graphRun([1010, 40]),
      modelRun([1000, 60]),
    ];
    const inner = threadOf(build([{ part: partOf([[1000, 60]]), events: partEvents(events) }])).slice(3);
    expect(inner.map(({ name, depth }) => [name, depth])).toEqual([
      ['if:If', 3],
      ['a:Mul', 4],
      ['b:Mul', 4],
    ]);
    expect(inner.map(({ startNs, endNs }) => endNs - startNs)).toEqual([10_000, 5000, 5000]);
  });

  it('tells of operators what is known of them', () => {
    const args = {
      input_type_shape: [{ float: [1, 8] }, { float: [4] }],
      output_type_shape: [{ float: [1, 4] }],
    };
    const events = [nodeEvent('/fc/Gemm:0', 'Gemm', [1020, 5], args), modelRun([1000, 60])];
    const part = { part: partOf([[1000, 60]]), events: partEvents(events) };
    const [, , op] = threadOf(build([part]));
    expect(op?.kind).toEqual({
      name: 'fc/Gemm_0:Gemm',
      displayName: 'Gemm',
      stats: {
        node: '/fc/Gemm:0',
        provider: 'CPUExecutionProvider',
        inputs: 'float[1,8], float[4]',
        outputs: 'float[1,4]',
        FLOPs: { int: 64 },
        // Weights that the runtime has packed are counted: 32 + 16 + 16 + 128.
        bytes: { int: 192 },
        'FLOPs per byte': { double: 64 / 192 },
      },
    });
  });

  it('asks for facts of nodes by their own names', () => {
    const args = {
      input_type_shape: [{ uint8: [1, 8, 8, 4] }],
      output_type_shape: [{ uint8: [1, 8, 8, 2] }],
    };
    const events = [nodeEvent('/conv', 'QLinearConv', [1020, 5], args), modelRun([1000, 60])];
    const facts = (node: string) =>
      node === '/conv' ? { weights: [{ type: 'int8', dims: [2, 4, 3, 3] }] } : undefined;
    const part = { part: partOf([[1000, 60]]), events: partEvents(events) };
    expect(threadOf(build([{ ...part, facts }]))[2]?.kind.stats).toMatchObject({ FLOPs: { int: 9216 } });
    expect(threadOf(build([part]))[2]?.kind.stats).not.toHaveProperty('FLOPs');
  });

  it('tells the roof of operators where the peaks of their provider are known', () => {
    const shapes = {
      input_type_shape: [{ float: [4, 8] }, { float: [8, 4] }],
      output_type_shape: [{ float: [4, 4] }],
    };
    const events = [
      nodeEvent('a', 'MatMul', [1001, 5], shapes),
      nodeEvent('b', 'Relu', [1010, 5], {
        input_type_shape: [{ float: [50] }],
        output_type_shape: [{ float: [50] }],
      }),
      nodeEvent('c', 'MatMul', [1020, 5], { ...shapes, provider: 'WebGpuExecutionProvider' }),
      modelRun([1000, 60]),
    ];
    const peaks: Peaks = {
      device: 'cpu',
      threads: 1,
      operationsPerSecond: { float32: 128e6, float16: null, int8: null },
      levels: [{ name: 'memory', capacityBytes: null, bytesPerSecond: 400e6 }],
    };
    const peaksOf = (provider: string) => (provider === 'CPUExecutionProvider' ? peaks : undefined);
    const part = { part: partOf([[1000, 60]]), events: partEvents(events), peaksOf };
    const [product, relu, elsewhere] = threadOf(build([part])).slice(2);
    expect(product?.kind.stats).toMatchObject({ 'roof (us)': { double: 2 }, 'roof of': 'compute' });
    expect(relu?.kind.stats).toMatchObject({ 'roof (us)': { double: 1 }, 'roof of': 'memory' });
    expect(elsewhere?.kind.stats).not.toHaveProperty('roof (us)');
  });

  it('shows runs that warmed up, which are no steps, and whose operators tools do not count', () => {
    const part = partOf(RUNS, { firstRequest: 1 });
    const events = threadOf(build([{ part, events: partEvents(TWO_RUNS) }]));
    expect(outline(events).slice(0, 6)).toEqual([
      'warm-up of net fp32',
      '  SequentialExecutor::Execute',
      '    warm-up conv Conv',
      '    warm-up relu Relu',
      'net fp32',
      '  SessionRun',
    ]);
    expect(events.filter(({ stats }) => stats['_r'] === 1)).toHaveLength(1);
    expect(events.filter(({ name }) => name === 'SessionRun')).toHaveLength(1);
  });

  it('shows loading before the first run', () => {
    const loading = [
      sessionEvent('model_loading_uri', [5, 100]),
      sessionEvent('session_initialization', [110, 300]),
    ];
    const trace = build([{ part: partOf(RUNS), events: partEvents([...loading, ...TWO_RUNS]) }]);
    expect(outline(threadOf(trace)).slice(0, 3)).toEqual([
      'model_loading_uri',
      'session_initialization',
      'net fp32',
    ]);
    expect(trace.startNs).toBe(1_000_005_000n);
  });

  it('has requests without operators where nothing was profiled', () => {
    expect(outline(threadOf(build([{ part: partOf(RUNS) }])))).toEqual([
      'net fp32',
      '  SessionRun',
      'net fp32',
      '  SessionRun',
    ]);
  });

  it('tells how many requests have operators where the runtime stopped recording', () => {
    const events = partEvents([...twoNodes(1000), nodeEvent('/conv', 'Conv', [1110, 30])]);
    const trace = build([{ part: partOf(RUNS), events }]);
    expect(trace.warnings).toEqual([
      `1 of 2 requests of net:fp32 (${THREAD}) have operators: its profile has no more`,
    ]);
    expect(outline(threadOf(trace)).slice(5)).toEqual(['net fp32', '  SessionRun']);
    const full = build([{ part: partOf(RUNS), events: { ...events, count: 1_000_000 } }]);
    expect(full.warnings[0]).toContain('ONNX Runtime stops recording after 1,000,000 events');
    const cut = build([{ part: partOf(RUNS), events: { ...events, isTruncated: true, unreadable: 3 } }]);
    expect(cut.warnings[0]).toContain('ends in the middle');
    expect(cut.warnings[1]).toBe(`3 events in the profile of net:fp32 (${THREAD}) could not be read`);
  });

  it('keeps the nesting and the sum of every operator, whatever ran in what', () => {
    fc.assert(
      fc.property(randomRun(), (run) => {
        const { events, durationUs } = run;
        const trace = build([{ part: partOf([[1000, durationUs]]), events: partEvents(events) }]);
        const ops = threadOf(trace).filter(({ kind }) => kind.displayName !== undefined);
        const sums = new Map<string, number>();
        for (const { kind, startNs, endNs } of ops) {
          const node = kind.stats?.['node'] as string;
          sums.set(node, (sums.get(node) ?? 0) + endNs - startNs);
        }
        const expected = new Map<string, number>();
        for (const { cat, name, dur } of events) {
          if (cat !== 'Node') continue;
          const node = name.slice(0, -'_kernel_time'.length);
          expected.set(node, (expected.get(node) ?? 0) + dur * 1000);
        }
        expect([...sums].sort()).toEqual([...expected].sort());
        // What took no time may lie in what ends or begins beside it.
        for (const { kind, depth, startNs, endNs } of ops) {
          if (endNs > startNs) expect(depth).toBe((run.depths.get(kind.stats?.['node'] as string) ?? 0) + 3);
        }
      }),
    );
  });
});

describe('the trace of several sessions', () => {
  const second = (more = {}) => ({
    part: partOf(
      [
        [1200, 60],
        [1300, 60],
      ],
      { modelId: 'net:int8', thread: 'bench int8, lane 1', pid: 8, ...more },
    ),
    events: partEvents([...twoNodes(1200), ...twoNodes(1300)].map((event) => ({ ...event, tid: 8 }))),
  });

  it('numbers steps over all of them, and tells operators apart by the model', () => {
    const trace = build([second(), { part: partOf(RUNS), events: partEvents(TWO_RUNS) }]);
    const steps = [THREAD, 'bench int8, lane 1'].map((name) =>
      threadOf(trace, name).flatMap(({ stats }) => stats['step_num'] ?? []),
    );
    expect(steps).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(threadOf(trace)[3]?.name).toBe('fp32/conv:Conv');
    expect(threadOf(trace, 'bench int8, lane 1')[3]?.name).toBe('int8/conv:Conv');
  });

  it('has one line for sessions that one thread ran in turn', () => {
    const events = partEvents([...twoNodes(1070), ...twoNodes(1170)]);
    const other = partOf(
      [
        [1070, 60 - 32],
        [1170, 60],
      ],
      { modelId: 'net:int8' },
    );
    const trace = build([
      {
        part: partOf(RUNS),
        events: partEvents(TWO_RUNS.map((event) => ({ ...event, dur: Math.ceil(event.dur / 3) }))),
      },
      {
        part: other,
        events: { ...events, durationsUs: events.durationsUs.map((dur) => Math.floor(dur / 3)) },
      },
    ]);
    expect(threadOf(trace).flatMap(({ name, depth }) => (depth === 0 ? [name] : []))).toEqual([
      'net fp32',
      'net int8',
      'net fp32',
      'net int8',
    ]);
  });

  it('lets no request overlap another of its thread, though their callers waited at the same time', () => {
    const part = {
      ...partOf(RUNS),
      // Both were asked for at once, and returned when both were done.
      startsNs: [990_000, 991_000],
      endsNs: [1_170_000, 1_170_000],
    };
    const events = threadOf(build([{ part, events: partEvents(TWO_RUNS) }]));
    expect(events.filter(({ depth }) => depth === 0).map(({ startNs, endNs }) => [startNs, endNs])).toEqual([
      [0, 110_000],
      [110_000, 180_000],
    ]);
  });
});

describe('the clock of a profile', () => {
  it('is found between call and return, whatever its zero is', () => {
    const part = partOf(RUNS.map(([ts, dur]) => [ts + 5_000_000, dur] as const));
    const [root, run] = threadOf(build([{ part, events: partEvents(TWO_RUNS) }]));
    expect((run?.startNs ?? 0) - (root?.startNs ?? 0)).toBe(2000);
  });
});
