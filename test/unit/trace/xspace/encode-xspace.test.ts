import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Trace } from '../../../../src/trace/trace.ts';
import { encodeXSpace } from '../../../../src/trace/xspace/encode-xspace.ts';
import { type HandMadeEvent, lineOf, planeOf, traceOf } from '../../../support/hand-made-trace.ts';
import { type ReadXSpace, readXSpace } from '../../../support/read-xspace.ts';

function encoded(trace: Trace): ReadXSpace {
  return readXSpace(Buffer.concat([...encodeXSpace(trace)]));
}

/** The events of the only line of a trace with one plane. */
function eventsOf(trace: Trace) {
  return encoded(trace).planes[0]?.lines[0]?.events ?? [];
}

function oneLine(events: readonly HandMadeEvent[], kinds = [{ name: 'op' }]): Trace {
  return traceOf([planeOf('/host:CPU', kinds, [lineOf(7, 'thread', events)])]);
}

describe('encodeXSpace', () => {
  it('keeps planes, lines and events in their order, with times from the start of the trace, and meters below all', () => {
    const host = planeOf(
      '/host:CPU',
      [{ name: 'a:Conv', displayName: 'Conv' }, { name: 'b:Relu' }],
      [
        lineOf(3, 'lane 1', [
          { kind: 0, startNs: 0, durationNs: 2500 },
          { kind: 1, startNs: 1000, durationNs: 500 },
        ]),
        lineOf(4, 'lane 2', []),
      ],
    );
    const space = encoded(
      traceOf([host, planeOf('/device:GPU:0', [], []), planeOf('/device:CUSTOM:telemetry', [], [])]),
    );
    expect(space.planes.map(({ id, name }) => [id, name])).toEqual([
      [0n, '/host:CPU'],
      [1n, '/device:GPU:0'],
      [203n, '/device:CUSTOM:telemetry'],
      [3n, 'Task Environment'],
    ]);
    expect(space.planes[0]?.lines).toEqual([
      {
        id: 3n,
        name: 'lane 1',
        timestampNs: 0n,
        events: [
          {
            name: 'a:Conv',
            displayName: 'Conv',
            offsetPs: 0n,
            durationPs: 2_500_000n,
            stats: [],
            metadataStats: [],
          },
          {
            name: 'b:Relu',
            displayName: '',
            offsetPs: 1_000_000n,
            durationPs: 500_000n,
            stats: [],
            metadataStats: [],
          },
        ],
      },
      { id: 4n, name: 'lane 2', timestampNs: 0n, events: [] },
    ]);
  });

  it('says the time of day in the plane for it, to the microsecond, and one host', () => {
    const space = encoded(
      traceOf([], {
        startWallMs: 1_795_694_400_123.456,
        durationNs: 1500.2,
        hostname: 'a:b',
        warnings: ['late', 'cut'],
      }),
    );
    expect(space.planes).toEqual([
      {
        id: 0n,
        name: 'Task Environment',
        lines: [],
        stats: [
          { name: 'profile_start_time', type: 'uint', value: 1_795_694_400_123_456_000n },
          { name: 'profile_stop_time', type: 'uint', value: 1_795_694_400_123_457_501n },
        ],
      },
    ]);
    expect(space).toMatchObject({ hostnames: ['a:b'], warnings: ['late', 'cut'], errors: [] });
  });

  it('repeats in every event what tools look for there, as references, and keeps the rest in the metadata', () => {
    const kinds = [
      {
        name: 'MemoryAllocation',
        stats: { tf_op: 'alloc of x', data_type: { int: 1 }, provider: 'CPU', FLOPs: { double: 2.5 } },
      },
    ];
    expect(eventsOf(oneLine([{ kind: 0, startNs: 0 }], kinds))).toMatchObject([
      {
        stats: [
          { name: 'tf_op', type: 'ref', value: 'alloc of x' },
          { name: 'data_type', type: 'int', value: 1n },
        ],
        metadataStats: [
          { name: 'provider', type: 'text', value: 'CPU' },
          { name: 'FLOPs', type: 'double', value: 2.5 },
        ],
      },
    ]);
  });

  it('gives an event the stats of its columns, and none where there is NaN', () => {
    const events = eventsOf(
      oneLine([
        { kind: 0, startNs: 0, ints: { step_num: 0, bytes: 2 ** 40 } },
        { kind: 0, startNs: 1, doubles: { value: 1.5 } },
        { kind: 0, startNs: 2, ints: { step_num: -1 } },
      ]),
    );
    expect(events.map(({ stats }) => stats)).toEqual([
      [
        { name: 'step_num', type: 'int', value: 0n },
        { name: 'bytes', type: 'int', value: 2n ** 40n },
      ],
      [{ name: 'value', type: 'double', value: 1.5 }],
      [{ name: 'step_num', type: 'int', value: -1n }],
    ]);
  });

  it('takes a text for the name of a stat where both are equal', () => {
    const kinds = [{ name: 'op', stats: { tf_op: 'shape', shape: 'tf_op' } }];
    expect(eventsOf(oneLine([{ kind: 0, startNs: 0 }], kinds))[0]?.stats).toEqual([
      { name: 'tf_op', type: 'ref', value: 'shape' },
      { name: 'shape', type: 'ref', value: 'tf_op' },
    ]);
  });

  it('writes stats of a plane', () => {
    const plane = planeOf('/device:GPU:0', [], [], {
      gpu_device_name: 'H100',
      memory_size: { int: 85_899_345_920 },
      peak_teraflops_per_second: { double: 989.5 },
    });
    expect(encoded(traceOf([plane])).planes[0]?.stats).toEqual([
      { name: 'gpu_device_name', type: 'text', value: 'H100' },
      { name: 'memory_size', type: 'int', value: 85_899_345_920n },
      { name: 'peak_teraflops_per_second', type: 'double', value: 989.5 },
    ]);
  });

  it('is exact to a nanosecond after more picoseconds than a float64 has', () => {
    const startNs = 104 * 24 * 3600 * 1e9 - 1;
    expect(eventsOf(oneLine([{ kind: 0, startNs, durationNs: 3 }]))).toMatchObject([
      { offsetPs: BigInt(startNs) * 1000n, durationPs: 3000n },
    ]);
  });

  it('keeps an event inside the one around it when fractions are rounded', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e7, noNaN: true }),
        fc.double({ min: 0, max: 1e5, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (startNs, durationNs, part) => {
          const innerNs = startNs + durationNs * part;
          const events = eventsOf(
            oneLine([
              { kind: 0, startNs, durationNs },
              { kind: 0, startNs: innerNs, durationNs: Math.max(0, startNs + durationNs - innerNs) },
            ]),
          );
          const [outer, inner] = events.map(({ offsetPs, durationPs }) => ({
            offsetPs,
            end: offsetPs + durationPs,
          }));
          if (outer === undefined || inner === undefined) throw new Error('an event is missing');
          expect(inner.offsetPs).toBeGreaterThanOrEqual(outer.offsetPs);
          expect(inner.end).toBeLessThanOrEqual(outer.end);
        },
      ),
    );
  });

  it('writes text that UTF-8 has, whatever it was', () => {
    const kinds = [
      { name: 'Größe 日本 \u{1F600} "\\\n', displayName: 'lone \ud800', stats: { tf_op: 'ü:x' } },
    ];
    const space = encoded(
      traceOf([planeOf('/device:CUSTOM:é', kinds, [lineOf(1, 'Läufer', [{ kind: 0, startNs: 0 }])])]),
    );
    expect(space.planes[0]).toMatchObject({
      name: '/device:CUSTOM:é',
      lines: [
        {
          name: 'Läufer',
          events: [
            {
              name: 'Größe 日本 \u{1F600} "\\\n',
              displayName: 'lone \ufffd',
              stats: [{ name: 'tf_op', value: 'ü:x' }],
            },
          ],
        },
      ],
    });
  });

  it('comes in pieces that stay as they are, whatever the number and size of events', () => {
    // Forty stats: an event is longer than 127 bytes, so that its length takes two, and some thousand more than a piece.
    const ints = Object.fromEntries(Array.from({ length: 40 }, (_, place) => [`stat ${place}`, place * 1e6]));
    const count = 5000;
    const trace = oneLine(
      Array.from({ length: count }, (_, place) => ({ kind: 0, startNs: place * 10, ints })),
    );
    const pieces = [...encodeXSpace(trace)];
    expect(pieces.length).toBeGreaterThan(3);
    const events = readXSpace(Buffer.concat(pieces)).planes[0]?.lines[0]?.events ?? [];
    expect(events).toHaveLength(count);
    for (const place of [0, 1, 2500, count - 1]) {
      expect(events[place]?.offsetPs).toBe(BigInt(place) * 10_000n);
      expect(events[place]?.stats).toHaveLength(40);
    }
  });
});
