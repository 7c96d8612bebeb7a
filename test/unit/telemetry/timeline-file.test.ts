import {
  createWriteStream,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { PhaseSpan } from '../../../src/core/phase.ts';
import { createTimeline, readTimeline, TimelineWriter } from '../../../src/telemetry/timeline-file.ts';
import { cpuOf, ns, snapshotAt } from './snapshots.ts';

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ptq-timeline-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'timeline.jsonl');
}

async function writerFor(file: string, maxBufferedBytes?: number) {
  const created = await createTimeline(
    file,
    maxBufferedBytes === undefined ? undefined : { maxBufferedBytes },
  );
  if (!created.ok) throw new Error(created.error.message);
  return created.value;
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
const snapshots = [
  { ...snapshotAt(0, { cpu: cpuOf(1.5, 2) }), tickNs: 9_223_372_036_854_775_807n },
  snapshotAt(0.1),
  snapshotAt(0.2),
];

async function writtenFile(): Promise<string> {
  const file = newFile();
  const writer = await writerFor(file);
  for (const snapshot of snapshots) writer.append(snapshot);
  for (const span of spans) writer.appendPhase(span);
  expect(await writer.close()).toEqual({ ok: true, value: undefined });
  return file;
}

describe('a timeline file', () => {
  it('gives back what was appended, to the last nanosecond', async () => {
    expect(await readTimeline(await writtenFile())).toEqual({
      ok: true,
      value: { snapshots, spans, droppedSnapshots: 0, truncated: false },
    });
  });

  it('is one JSON object per line, the first with the version', async () => {
    const lines = readFileSync(await writtenFile(), 'utf8')
      .trimEnd()
      .split('\n');
    expect(lines).toHaveLength(1 + snapshots.length + spans.length);
    expect(JSON.parse(lines[0] ?? '')).toEqual({ type: 'timeline', version: 1 });
  });

  it('loses only its last line when the writer was cut off, and says so', async () => {
    const file = await writtenFile();
    truncateSync(file, readFileSync(file).length - 9);
    expect(await readTimeline(file)).toMatchObject({
      ok: true,
      value: { snapshots, spans: spans.slice(0, -1), truncated: true },
    });
  });

  it('can be cut at any byte and is then truncated or whole, never malformed', async () => {
    const file = await writtenFile();
    const whole = readFileSync(file);
    for (let length = 1; length < whole.length; length += 41) {
      writeFileSync(file, whole.subarray(0, length));
      expect(await readTimeline(file)).toMatchObject({
        ok: true,
        value: { truncated: whole[length - 1] !== 10 },
      });
    }
  });

  it('is never overwritten', async () => {
    const file = await writtenFile();
    expect(await createTimeline(file)).toMatchObject({
      ok: false,
      error: { kind: 'timeline-not-written', place: { file }, message: expect.stringContaining('EEXIST') },
    });
  });

  it('counts the snapshots that a disk too slow for them made it leave out, and keeps every phase', async () => {
    const file = newFile();
    const writer = await writerFor(file, 0);
    // The first line is still on its way to the disk, so nothing more fits.
    writer.append(snapshotAt(1));
    writer.append(snapshotAt(2));
    writer.appendPhase({ phase: 'load', startNs: 0n, endNs: 1n });
    expect(writer.droppedSnapshots).toBe(2);
    await writer.close();
    expect(await readTimeline(file)).toMatchObject({
      value: { snapshots: [], spans: [{ phase: 'load' }], droppedSnapshots: 2, truncated: false },
    });
  });

  it('can be closed twice', async () => {
    const writer = await writerFor(newFile());
    await writer.close();
    expect(await writer.close()).toMatchObject({ ok: true });
  });

  it.skipIf(!existsSync('/dev/full'))('tells by close that the disk is full (needs /dev/full)', async () => {
    const writer = new TimelineWriter('/dev/full', createWriteStream('/dev/full'), 1e6);
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

describe('readTimeline', () => {
  const header = '{"type":"timeline","version":1}\n';
  const snapshotLine = (fields: string) => `{"type":"snapshot",${fields}}\n`;

  it.each([
    ['no JSON', `${header}{"type":\n`, 2, /JSON object/],
    ['JSON that is no object', `${header}[1]\n`, 2, /JSON object/],
    ['an unknown type', `${header}{"type":"gpu"}\n`, 2, /"gpu"/],
    ['another file', '{"type":"snapshot"}\n', 1, /first line of a timeline/],
    ['another version', '{"type":"timeline","version":2}\n', 1, /version 1 but found 2/],
    [
      'a tick that is no integer',
      header + snapshotLine('"tickNs":5,"wallMs":1,"health":{},"sampler":{}'),
      2,
      /tickNs/,
    ],
    ['a snapshot without health', header + snapshotLine('"tickNs":"5","wallMs":1,"sampler":{}'), 2, /health/],
    [
      'an unknown phase',
      `${header}{"type":"phase","phase":"lunch","startNs":"1","endNs":"2"}\n`,
      2,
      /"lunch"/,
    ],
    ['an empty file', '', 1, /empty/],
  ])('names file and line of %s', async (_what, text, line, message) => {
    const file = newFile();
    writeFileSync(file, text);
    expect(await readTimeline(file)).toMatchObject({
      ok: false,
      error: { kind: 'timeline-malformed', message: expect.stringMatching(message), place: { file, line } },
    });
  });

  it('says which file is missing', async () => {
    const file = newFile();
    expect(await readTimeline(file)).toMatchObject({
      ok: false,
      error: { kind: 'timeline-not-read', place: { file } },
    });
  });
});
