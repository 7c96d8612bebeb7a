import { describe, expect, it } from 'vitest';
import { encodePerfetto } from '../../../../src/trace/perfetto/encode-perfetto.ts';
import type { Trace } from '../../../../src/trace/trace.ts';
import { lineOf, planeOf, traceOf } from '../../../support/hand-made-trace.ts';

type Json = Readonly<Record<string, unknown>>;

function encoded(trace: Trace): { readonly events: readonly Json[]; readonly otherData: Json } {
  const { traceEvents, ...rest } = JSON.parse(Buffer.concat([...encodePerfetto(trace)]).toString('utf8'));
  expect(rest.displayTimeUnit).toBe('ns');
  return { events: traceEvents, otherData: rest.otherData };
}

function phase(trace: Trace, ph: string): readonly Json[] {
  return encoded(trace).events.filter((event) => event['ph'] === ph);
}

describe('encodePerfetto', () => {
  it('makes a process of a plane, a thread of a line, and a slice of an event', () => {
    const trace = traceOf([
      planeOf('/device:GPU:0', [], []),
      planeOf(
        '/host:CPU',
        [
          {
            name: 'a:Conv',
            displayName: 'Conv',
            stats: { shape: '1x3', _r: { int: 1 }, FLOPs: { double: 0.5 } },
          },
        ],
        [lineOf(9, 'lane 1', [{ kind: 0, startNs: 1500, durationNs: 1001, ints: { step_num: 3, _p: 4 } }])],
      ),
    ]);
    const { events } = encoded(trace);
    expect(events).toContainEqual({
      ph: 'M',
      name: 'process_name',
      pid: 1,
      tid: 0,
      args: { name: '/device:GPU:0' },
    });
    expect(events).toContainEqual({
      ph: 'M',
      name: 'process_name',
      pid: 2,
      tid: 0,
      args: { name: '/host:CPU' },
    });
    expect(events).toContainEqual({
      ph: 'M',
      name: 'process_sort_index',
      pid: 2,
      tid: 0,
      args: { sort_index: 2 },
    });
    expect(events).toContainEqual({ ph: 'M', name: 'thread_name', pid: 2, tid: 1, args: { name: 'lane 1' } });
    expect(events.filter(({ ph }) => ph === 'X')).toEqual([
      {
        ph: 'X',
        pid: 2,
        tid: 1,
        ts: 1.5,
        dur: 1.001,
        name: 'a:Conv',
        args: { op: 'Conv', shape: '1x3', FLOPs: 0.5, step_num: 3 },
      },
    ]);
  });

  it('tells what the trace is about', () => {
    const planes = [planeOf('/device:GPU:0', [], [], { gpu_device_name: 'H100', memory_size: { int: 5 } })];
    expect(encoded(traceOf(planes, { hostname: 'a:b', warnings: ['cut'] })).otherData).toEqual({
      hostname: 'a:b',
      startedAt: '2026-11-26T12:00:00.000Z',
      warnings: ['cut'],
      planes: { '/device:GPU:0': { gpu_device_name: 'H100', memory_size: 5 } },
    });
  });

  it('gives slices that cross the edge of another a thread of their own', () => {
    const trace = traceOf([
      planeOf(
        '/host:CPU',
        [{ name: 'a' }, { name: 'b' }],
        [
          lineOf(1, 'busy', [
            { kind: 0, startNs: 0, durationNs: 5000 },
            { kind: 1, startNs: 3000, durationNs: 5000 },
          ]),
          lineOf(2, 'idle', [{ kind: 0, startNs: 0, durationNs: 1 }]),
        ],
      ),
    ]);
    expect(phase(trace, 'X').map(({ name, tid }) => [name, tid])).toEqual([
      ['a', 1],
      ['b', 2],
      ['a', 3],
    ]);
    expect(
      phase(trace, 'M')
        .filter(({ name }) => name === 'thread_name')
        .map(({ tid, args }) => [tid, args]),
    ).toEqual([
      [1, { name: 'busy' }],
      [2, { name: 'busy (2)' }],
      [3, { name: 'idle' }],
    ]);
  });

  it('makes counter tracks of meters and of memory, without readings that are no numbers', () => {
    const trace = traceOf([
      planeOf(
        '/device:CUSTOM:telemetry',
        [{ name: 'GPU 0 power W' }, { name: 'threads' }],
        [
          lineOf(1, '_counters_', [
            { kind: 0, startNs: 0, doubles: { value: 40.5 } },
            { kind: 0, startNs: 2000, doubles: { value: Number.POSITIVE_INFINITY } },
            { kind: 1, startNs: 3000, doubles: { value: 7 } },
          ]),
        ],
      ),
      planeOf(
        '/host:CPU',
        [{ name: 'MemoryAllocation', stats: { allocator_name: 'Cpu' } }, { name: 'MemoryDeallocation' }],
        [
          lineOf(1, 'lane', [
            { kind: 0, startNs: 1000, ints: { bytes_allocated: 7, addr: 1 } },
            { kind: 1, startNs: 3000, ints: { bytes_allocated: 0, addr: 1 } },
          ]),
        ],
      ),
    ]);
    expect(phase(trace, 'C')).toEqual([
      { ph: 'C', pid: 1, ts: 0, name: 'GPU 0 power', args: { W: 40.5 } },
      { ph: 'C', pid: 1, ts: 3, name: 'threads', args: { value: 7 } },
      { ph: 'C', pid: 2, ts: 1, name: 'memory of Cpu', args: { bytes: 7 } },
      { ph: 'C', pid: 2, ts: 3, name: 'memory of an allocator', args: { bytes: 0 } },
    ]);
    expect(phase(trace, 'X')).toEqual([]);
    expect(phase(trace, 'M').filter(({ name }) => name === 'thread_name')).toEqual([]);
  });

  it('leads an arrow from a launch to its kernel', () => {
    const event = { kind: 0, startNs: 1000, durationNs: 10, ints: { correlation_id: 5 } };
    const trace = traceOf([
      planeOf('/device:GPU:0', [{ name: 'kernel' }], [lineOf(1, 'stream', [{ ...event, startNs: 4000 }])]),
      planeOf('/host:CPU', [{ name: 'launch' }], [lineOf(1, 'lane', [event, { kind: 0, startNs: 2000 }])]),
    ]);
    const arrow = { cat: 'launch', name: 'launch', tid: 1, id: 5 };
    expect(phase(trace, 's')).toEqual([{ ph: 's', pid: 2, ts: 1, ...arrow }]);
    expect(phase(trace, 'f')).toEqual([{ ph: 'f', bp: 'e', pid: 1, ts: 4, ...arrow }]);
  });

  it('escapes what JSON must', () => {
    const name = 'a "b" \\ \n \u0001 Größe 日本 \ud800';
    const kinds = [{ name, displayName: name, stats: { [name]: name } }];
    const trace = traceOf([
      planeOf(name, kinds, [lineOf(1, name, [{ kind: 0, startNs: 0, ints: { '"': 1 } }])]),
    ]);
    expect(phase(trace, 'X')).toMatchObject([{ name, args: { op: name, [name]: name, '"': 1 } }]);
    expect(phase(trace, 'M')).toContainEqual({
      ph: 'M',
      name: 'thread_name',
      pid: 1,
      tid: 1,
      args: { name },
    });
  });

  it('comes in pieces, whatever the number of events', () => {
    const count = 10_000;
    const events = Array.from({ length: count }, (_, place) => ({
      kind: 0,
      startNs: place * 1000,
      durationNs: 500,
    }));
    const trace = traceOf([planeOf('/host:CPU', [{ name: 'op' }], [lineOf(1, 'lane', events)])]);
    expect([...encodePerfetto(trace)].length).toBeGreaterThan(4);
    expect(phase(trace, 'X').map(({ ts }) => ts)).toEqual(events.map((_, place) => place));
  });

  it('takes a kind whose stats are longer than a piece', () => {
    const kinds = [{ name: 'op', stats: { note: 'x'.repeat(400_000) } }];
    const trace = traceOf([planeOf('/host:CPU', kinds, [lineOf(1, 'lane', [{ kind: 0, startNs: 0 }])])]);
    expect(phase(trace, 'X')).toHaveLength(1);
  });
});
