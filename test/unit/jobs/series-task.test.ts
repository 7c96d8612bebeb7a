import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSeriesJson, readSeriesView } from '../../../src/jobs/series-task.ts';
import { createTimeline } from '../../../src/telemetry/timeline/timeline-writer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';
import { memoryOf, ns, snapshotAt } from '../telemetry/snapshots.ts';

/** Ten seconds from second 100 of the host's clock. */
async function timeline(): Promise<string> {
  const file = join(temporaryFolder(), 'timeline.ptqt');
  const writer = unwrap(await createTimeline(file, { run: 'r1', model: 'digits' }));
  for (let t = 100; t <= 110; t += 1) writer.append(snapshotAt(t, { memory: memoryOf(t) }));
  writer.appendPhase({ phase: 'load', startNs: ns(101), endNs: ns(103.5) });
  await writer.close();
  return file;
}

const query = { points: 10, rates: true, columns: ['memory.availableBytes'] };

describe('readSeriesView', () => {
  it('tells times in seconds since the first snapshot', async () => {
    expect(
      await readSeriesView(await timeline(), { ...query, fromSeconds: 2, toSeconds: 4, points: 2 }),
    ).toEqual({
      run: 'r1',
      model: 'digits',
      startedAt: new Date(1_700_000_100_000).toISOString(),
      complete: true,
      startSeconds: 2,
      stepSeconds: 1,
      points: 2,
      columns: [
        {
          name: 'memory.availableBytes',
          isRate: false,
          min: [102, 103],
          mean: [102, 103.5],
          max: [102, 104],
          last: [102, 104],
        },
      ],
      phases: [{ phase: 'load', startSeconds: 1, endSeconds: 3.5 }],
    });
  });

  it('is JSON when a worker sends it', async () => {
    const task = { kind: 'series', file: await timeline(), ...query } as const;
    expect(JSON.parse(await readSeriesJson(task))).toMatchObject({
      points: 10,
      columns: [{ name: 'memory.availableBytes' }],
    });
  });

  it('of a file that is no timeline says so', async () => {
    await expect(readSeriesView('/nowhere/timeline.ptqt', query)).rejects.toThrow('/nowhere/timeline.ptqt');
  });
});
