import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../../../src/telemetry/snapshot.ts';
import { readSeries } from '../../../../src/telemetry/timeline/read-series.ts';
import { createTimeline } from '../../../../src/telemetry/timeline/timeline-writer.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { cpuOf, diskOf, memoryOf, ns, snapshotAt } from '../snapshots.ts';

async function timelineOf(snapshots: readonly Snapshot[]): Promise<string> {
  const file = join(temporaryFolder(), 'run.ptqt');
  const writer = unwrap(await createTimeline(file));
  for (const snapshot of snapshots) writer.append(snapshot);
  await writer.close();
  return file;
}

async function column(file: string, name: string, points: number, rates = false) {
  const series = unwrap(await readSeries(file, { points, columns: [name], rates }));
  return { ...series, column: series.columns[0] };
}

describe('readSeries', () => {
  it('gives least, mean, most and last of every point', async () => {
    const values = [4, 8, 6, 1, 1, 1, 9, 9];
    const file = await timelineOf(values.map((value, t) => snapshotAt(t, { memory: memoryOf(value) })));
    const { column: memory, startNs, stepNs, startWallMs } = await column(file, 'memory.availableBytes', 4);
    expect(memory).toEqual({
      name: 'memory.availableBytes',
      isRate: false,
      min: [4, 1, 1, 9],
      mean: [6, 3.5, 1, 9],
      max: [8, 6, 1, 9],
      last: [8, 1, 1, 9],
    });
    expect(startNs + 4n * stepNs).toBe(ns(7));
    expect(startWallMs).toBe(1_700_000_000_000);
  });

  it('leaves a gap where nothing was sampled', async () => {
    const file = await timelineOf([0, 1, 8, 9].map((t) => snapshotAt(t, { memory: memoryOf(5) })));
    expect((await column(file, 'memory.availableBytes', 5)).column?.mean).toEqual([5, null, null, null, 5]);
  });

  it('makes rates of counters, and none over a counter that began anew', async () => {
    const counts = [0, 10, 20, 5, 15];
    const file = await timelineOf(counts.map((count, t) => snapshotAt(t, { disks: [diskOf(count)] })));
    const { column: read } = await column(file, 'disks.*.readBytes', 4, true);
    expect(read).toMatchObject({ isRate: true, mean: [10, 10, null, 10] });
    expect((await column(file, 'disks.*.readBytes', 5)).column).toMatchObject({
      isRate: false,
      last: counts,
    });
  });

  it('keeps all that a counter grew, whatever the resolution', async () => {
    const growth = Array.from({ length: 200 }, (_, t) => (t * 7919) % 23);
    let total = 0;
    const file = await timelineOf(
      growth.map((more, t) => {
        total += t === 0 ? 0 : more;
        return snapshotAt(t, { disks: [diskOf(total)] });
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 300 }), async (points) => {
        const { column: read, stepNs } = await column(file, 'disks.*.readBytes', points, true);
        const sum = (read?.mean ?? []).reduce<number>((all, rate) => all + (rate ?? 0), 0);
        // The last point may be longer than what was sampled, its rate is over what was.
        const lastSeconds = 199 - ((read?.mean.length ?? 1) - 1) * (Number(stepNs) / 1e9);
        const correction = (read?.mean.at(-1) ?? 0) * (Number(stepNs) / 1e9 - lastSeconds);
        expect(sum * (Number(stepNs) / 1e9) - correction).toBeCloseTo(total, 3);
      }),
      { numRuns: 30 },
    );
  });

  it('draws a long time from digests, as it would from all samples', async () => {
    const file = await timelineOf(
      Array.from({ length: 3600 }, (_, t) =>
        snapshotAt(t, { memory: memoryOf(1000 + (t % 60)), cpu: cpuOf(t / 4, t) }),
      ),
    );
    const coarse = unwrap(await readSeries(file, { points: 20, columns: ['memory', 'cpu'], rates: true }));
    const byName = new Map(coarse.columns.map((found) => [found.name, found]));
    const memory = byName.get('memory.availableBytes');
    expect(memory?.mean).toHaveLength(20);
    for (const index of [0, 7, 19]) {
      expect(memory?.min[index]).toBe(1000);
      expect(memory?.max[index]).toBe(1059);
      expect(memory?.mean[index]).toBeCloseTo(1029.5, 2);
      expect(byName.get('cpu.secondsByMode.user')?.mean[index]).toBeCloseTo(0.25, 6);
    }
  });

  it('reads a part at its own resolution', async () => {
    const file = await timelineOf(
      Array.from({ length: 900 }, (_, t) => snapshotAt(t / 10, { memory: memoryOf(t) })),
    );
    const series = unwrap(
      await readSeries(file, {
        fromNs: ns(72),
        toNs: ns(72.9),
        points: 10,
        columns: ['memory.availableBytes'],
        rates: false,
      }),
    );
    expect(series.columns[0]?.mean).toEqual([720, 721, 722, 723, 724, 725, 726, 727, 728, 729]);
  });

  it('leaves out what was sampled just before the range', async () => {
    const file = await timelineOf([0, 1, 2, 3].map((t) => snapshotAt(t, { memory: memoryOf(t) })));
    const range = { fromNs: ns(1.5), toNs: ns(3.5) };
    const series = unwrap(await readSeries(file, { ...range, points: 1, columns: ['memory'], rates: false }));
    expect(series.columns.find(({ name }) => name === 'memory.availableBytes')?.min).toEqual([2]);
  });

  it('names the column that there is not, and what there is', async () => {
    const file = await timelineOf([snapshotAt(0, { memory: memoryOf(1) })]);
    expect(await readSeries(file, { points: 9, columns: ['memroy'], rates: false })).toMatchObject({
      ok: false,
      error: {
        kind: 'unknown-column',
        message: /'memroy'/,
        hint: expect.stringMatching(/health, memory, sampler/),
      },
    });
  });

  it('refuses more columns than a view can hold', async () => {
    const many = Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`c${index}`, index]));
    const file = await timelineOf([{ ...snapshotAt(0), many } as Snapshot]);
    expect(await readSeries(file, { points: 9, rates: false })).toMatchObject({
      ok: false,
      error: { kind: 'too-many-columns', hint: /choose/ },
    });
  });

  it('of a timeline without snapshots has no columns', async () => {
    const file = await timelineOf([]);
    expect(unwrap(await readSeries(file, { points: 9, rates: true, columns: ['cpu'] })).columns).toEqual([]);
  });
});
