import { createWriteStream, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PhaseSpan } from '../../../../src/core/phase.ts';
import type { Snapshot } from '../../../../src/telemetry/snapshot.ts';
import { encodeFrame } from '../../../../src/telemetry/timeline/frame.ts';
import {
  readTimeline,
  readTimelineIndex,
  type TimeRange,
} from '../../../../src/telemetry/timeline/read-timeline.ts';
import { createTimeline, TimelineWriter } from '../../../../src/telemetry/timeline/timeline-writer.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { cpuOf, diskOf, ns, processOf, snapshotAt } from '../snapshots.ts';
import { arbitrarySnapshots } from './arbitrary-snapshot.ts';

let files = 0;

function newFile(folder = temporaryFolder()): string {
  files += 1;
  return join(folder, `${files}.ptqt`);
}

async function write(
  file: string,
  snapshots: readonly Snapshot[],
  spans: readonly PhaseSpan[] = [],
): Promise<void> {
  const writer = unwrap(await createTimeline(file, { run: 'r1', model: 'digits' }));
  for (const snapshot of snapshots) writer.append(snapshot);
  for (const span of spans) writer.appendPhase(span);
  expect(await writer.close()).toEqual({ ok: true, value: undefined });
}

async function read(file: string, range: TimeRange = {}) {
  const snapshots: Snapshot[] = [];
  const index = await readTimeline(file, range, (snapshot) => void snapshots.push(snapshot));
  return index.ok ? { ...index.value, read: snapshots } : { error: index.error, read: snapshots };
}

const spans: readonly PhaseSpan[] = [
  { phase: 'load', startNs: ns(0), endNs: ns(0.1) },
  { phase: 'bench', subject: 'static-int8', startNs: ns(0.1), endNs: ns(0.3) },
  {
    phase: 'write',
    startNs: ns(0.3),
    endNs: ns(0.4),
    usage: { pid: 7, cpuSeconds: 0.5, peakRssBytes: 9, io: { readBytes: 1, writtenBytes: 2 } },
  },
];

/** A quarter of an hour, a snapshot a second: two segments. */
const longestRun = Array.from({ length: 900 }, (_, t) => snapshotAt(t, { cpu: cpuOf(t / 50, t / 20) }));

/** Ninety seconds at 10 Hz, with a disk that comes and a process that goes: many blocks. */
const longRun = Array.from({ length: 900 }, (_, index) =>
  snapshotAt(index / 10, {
    cpu: cpuOf(index / 50, index / 20),
    disks: index < 300 ? [diskOf(index * 512)] : [diskOf(7, { device: 'sda' }), diskOf(index * 512)],
    processes: index < 500 ? [processOf(4096 * index)] : [],
  }),
);

describe('a timeline file', () => {
  it('gives back any snapshots that were appended, to the last bit', async () => {
    const folder = temporaryFolder();
    await fc.assert(
      fc.asyncProperty(arbitrarySnapshots, async (snapshots) => {
        const file = newFile(folder);
        await write(file, snapshots);
        const found = await read(file);
        expect(found.read).toEqual(snapshots);
        expect(found).toMatchObject({ complete: true, truncated: false, snapshots: snapshots.length });
      }),
    );
  });

  it('tells what it is of, its phases and that it was closed', async () => {
    const file = newFile();
    await write(file, longestRun, spans);
    expect(unwrap(await readTimelineIndex(file))).toMatchObject({
      about: { run: 'r1', model: 'digits' },
      phases: spans,
      snapshots: 900,
      droppedSnapshots: 0,
      complete: true,
      truncated: false,
      segments: [
        { startNs: 0n, endNs: ns(599), snapshots: 600 },
        { startNs: ns(600), endNs: ns(899), snapshots: 300 },
      ],
    });
  });

  it('is read by range, to the nanosecond', async () => {
    const file = newFile();
    await write(file, longRun);
    for (const [from, to] of [
      [0, 0],
      [12.3, 12.9],
      [58, 63.1],
      [89.9, 500],
    ] as const) {
      const inside = longRun.filter(({ tickNs }) => tickNs >= ns(from) && tickNs <= ns(to));
      expect((await read(file, { fromNs: ns(from), toNs: ns(to) })).read).toEqual(inside);
      expect(inside.length).toBeGreaterThan(0);
    }
    expect((await read(file, { fromNs: ns(89.9) + 1n })).read).toEqual([]);
  });

  it('loses nothing where a segment ends in the middle of a block', async () => {
    const file = newFile();
    const snapshots = Array.from({ length: 1000 }, (_, index) => snapshotAt(index * 0.7));
    await write(file, snapshots);
    expect((await read(file)).read).toEqual(snapshots);
  });

  it('can be read while it is written, but for the last seconds', async () => {
    const file = newFile();
    const writer = unwrap(await createTimeline(file));
    for (const snapshot of longRun.slice(0, 120)) writer.append(snapshot);
    await expect.poll(async () => (await read(file)).read.length).toBe(100);
    expect(await read(file)).toMatchObject({
      complete: false,
      truncated: false,
      read: longRun.slice(0, 100),
    });
    await writer.close();
    expect((await read(file)).read).toHaveLength(120);
  });

  it('keeps the phase that was under way when its writer died, up to the last snapshot', async () => {
    const file = newFile();
    const writer = unwrap(await createTimeline(file));
    writer.beginPhase({ phase: 'load', startNs: ns(0) });
    writer.beginPhase({ phase: 'calibrate', subject: 'int8', startNs: ns(1) });
    writer.appendPhase({ phase: 'load', startNs: ns(0), endNs: ns(1) });
    for (const snapshot of longRun.slice(0, 31)) writer.append(snapshot);
    await writer.close();
    expect(unwrap(await readTimelineIndex(file)).phases).toEqual([
      { phase: 'load', startNs: ns(0), endNs: ns(1) },
      { phase: 'calibrate', subject: 'int8', startNs: ns(1), endNs: ns(3), unfinished: true },
    ]);
  });

  it('is never overwritten', async () => {
    const file = newFile();
    await write(file, []);
    expect(await createTimeline(file)).toMatchObject({
      ok: false,
      error: { kind: 'timeline-not-written', place: { file }, message: expect.stringContaining('EEXIST') },
    });
  });

  it('counts the snapshots that a disk too slow for them made it leave out, and keeps every phase', async () => {
    const file = newFile();
    const writer = unwrap(await createTimeline(file, {}, { maxBufferedBytes: 0 }));
    // The first frame is still on its way to the disk, so nothing more fits.
    writer.append(snapshotAt(1));
    writer.append(snapshotAt(2));
    writer.appendPhase({ phase: 'load', startNs: 0n, endNs: 1n });
    expect(writer.droppedSnapshots).toBe(2);
    await writer.close();
    expect(await read(file)).toMatchObject({ read: [], phases: [{ phase: 'load' }], droppedSnapshots: 2 });
  });

  it('can be closed twice', async () => {
    const writer = unwrap(await createTimeline(newFile()));
    await writer.close();
    expect(await writer.close()).toMatchObject({ ok: true });
  });

  it.skipIf(!existsSync('/dev/full'))('tells by close that the disk is full (needs /dev/full)', async () => {
    const writer = new TimelineWriter(
      '/dev/full',
      createWriteStream('/dev/full'),
      {},
      { maxBufferedBytes: 1e6 },
    );
    writer.append(snapshotAt(0));
    expect(await writer.close()).toMatchObject({
      ok: false,
      error: {
        kind: 'timeline-not-written',
        message: expect.stringContaining('ENOSPC'),
        place: { file: '/dev/full' },
      },
    });
  });
});

describe('a timeline file that was cut off', () => {
  it('gives a prefix of its snapshots wherever it was cut', async () => {
    const file = newFile();
    await write(file, longRun.slice(0, 650), spans);
    const whole = readFileSync(file);
    const lengths = new Set<number>();
    for (let length = 1; length < whole.length; length += 97) {
      const cut = newFile();
      writeFileSync(cut, whole.subarray(0, length));
      const found = await read(cut);
      expect(found).not.toHaveProperty('error');
      expect(found.read).toEqual(longRun.slice(0, found.read.length));
      expect(found).toMatchObject({ complete: false });
      lengths.add(found.read.length);
    }
    expect([...lengths].slice(0, 3)).toEqual([0, 50, 100]);
  });

  it('says that its last frame is torn, also where a file system left zeros in its place', async () => {
    const file = newFile();
    await write(file, longRun.slice(0, 200));
    const whole = readFileSync(file);
    truncateSync(file, whole.length - 40);
    expect(await read(file)).toMatchObject({ truncated: true });
    writeFileSync(file, Buffer.concat([whole.subarray(0, whole.length - 32), Buffer.alloc(300)]));
    expect(await read(file)).toMatchObject({ truncated: true, snapshots: 200 });
  });
});

describe('a timeline file that was damaged', () => {
  it('tells every byte that is not what was written, and never gives wrong snapshots', async () => {
    const file = newFile();
    const snapshots = longRun.slice(0, 120);
    await write(file, snapshots, spans);
    const whole = readFileSync(file);
    const flipped = newFile();
    for (let offset = 0; offset < whole.length; offset += 7) {
      const bytes = Buffer.from(whole);
      bytes[offset] = (bytes[offset] ?? 0) ^ (1 << (offset % 8));
      writeFileSync(flipped, bytes);
      const found = await read(flipped);
      expect(found, `byte ${offset}`).toMatchObject({
        error: { kind: 'timeline-malformed', place: { file: flipped } },
      });
      expect(found.read).toEqual(snapshots.slice(0, found.read.length));
    }
  });

  it('can be read around a block that is damaged', async () => {
    const file = newFile();
    await write(file, longestRun);
    const whole = readFileSync(file);
    const { segments } = unwrap(await readTimelineIndex(file));
    const offset = (segments[0]?.blocks[3]?.offset ?? 0) + 5;
    whole[offset] = (whole[offset] ?? 0) ^ 1;
    writeFileSync(file, whole);
    expect(await read(file)).toMatchObject({
      error: { message: expect.stringContaining('checksum'), hint: expect.stringContaining('--from') },
    });
    expect((await read(file, { toNs: ns(14) })).read).toEqual(longestRun.slice(0, 15));
    expect((await read(file, { fromNs: ns(600) })).read).toEqual(longestRun.slice(600));
  });
});

describe('what is no timeline', () => {
  const frame = (kind: Parameters<typeof encodeFrame>[0], payload: string | Uint8Array) =>
    encodeFrame(kind, typeof payload === 'string' ? Buffer.from(payload) : payload);
  const signature = Buffer.from('PTQTIMEL\u0002\0\0\0', 'latin1');
  const about = frame('about', '{}');

  it.each([
    ['an empty file', [], /is empty/],
    ['another file', [Buffer.from('some words and more')], /does not begin as one/],
    ['one of JSON lines', [Buffer.from('{"type":"timeline","version":1}\n')], /JSON/],
    ['another version', [Buffer.from('PTQTIMEL\u0003\0\0\0', 'latin1')], /version is 3, and 2 is read/],
    ['one that does not say what it is of', [signature, frame('end', '')], /what it is of/],
    ['one that goes on after its end', [signature, about, frame('end', ''), about], /follows its end/],
    ['a block of no segment', [signature, about, frame('block', 'x')], /no segment/],
    ['an unknown phase', [signature, about, frame('phase', '{"phase":"lunch"}')], /none that is known/],
    ['a record that is no JSON', [signature, about, frame('dropped', '{')], /no JSON/],
    [
      'a block that holds something else',
      [signature, about, encodeFrame('block', Buffer.from('words'), { startsSegment: true })],
      /damaged at byte/,
    ],
  ])('is told with file and reason: %s', async (_what, parts, message) => {
    const file = newFile();
    writeFileSync(file, Buffer.concat(parts));
    expect(await read(file)).toMatchObject({
      error: {
        kind: 'timeline-malformed',
        message: expect.stringMatching(message),
        place: { file },
        hint: /./,
      },
    });
  });

  it('is told from a file that is missing', async () => {
    const file = newFile();
    expect(await read(file)).toMatchObject({ error: { kind: 'timeline-not-read', place: { file } } });
  });
});
