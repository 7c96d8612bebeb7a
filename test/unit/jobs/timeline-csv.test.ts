import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CsvQuery, writeTimelineCsv } from '../../../src/jobs/timeline-csv.ts';
import type { Snapshot } from '../../../src/telemetry/snapshot.ts';
import { createTimeline } from '../../../src/telemetry/timeline/timeline-writer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';
import { diskOf, memoryOf, snapshotAt } from '../telemetry/snapshots.ts';

async function csvOf(snapshots: readonly Snapshot[], query: Partial<CsvQuery>): Promise<string> {
  const file = join(temporaryFolder(), 'timeline.ptqt');
  const writer = unwrap(await createTimeline(file));
  for (const snapshot of snapshots) writer.append(snapshot);
  await writer.close();
  let text = '';
  unwrap(
    await writeTimelineCsv(file, { rates: true, ...query }, async (more) => {
      text += more;
    }),
  );
  return text;
}

const snapshots = [
  snapshotAt(10, { memory: memoryOf(5), disks: [diskOf(0, { device: 'a,"b' })] }),
  snapshotAt(11, { source: 'slow', disks: [diskOf(10, { device: 'sdb' })] }),
  snapshotAt(12.5, { memory: memoryOf(7), disks: [diskOf(100, { device: 'a,"b' })] }),
];

describe('writeTimelineCsv', () => {
  it('has a line for each snapshot, with empty cells where it has no such number', async () => {
    expect(await csvOf(snapshots, { columns: ['memory.availableBytes', 'disks.*.readBytes'] })).toBe(
      [
        'time,seconds,source,"disks.a,""b.readBytes",disks.sdb.readBytes,memory.availableBytes',
        '2023-11-14T22:13:30.000Z,0,host,0,,5',
        '2023-11-14T22:13:31.000Z,1,slow,,10,',
        '2023-11-14T22:13:32.500Z,2.5,host,100,,7',
        '',
      ].join('\r\n'),
    );
  });

  it('has a line for each point of a length, with rates of counters', async () => {
    expect(
      await csvOf(snapshots, { stepSeconds: 2, columns: ['memory.availableBytes', 'disks.a*.readBytes'] }),
    ).toBe(
      [
        'time,seconds,"disks.a,""b.readBytes per second",memory.availableBytes',
        '2023-11-14T22:13:30.000Z,0,40,5',
        '2023-11-14T22:13:32.000Z,2,40,7',
        '',
      ].join('\r\n'),
    );
  });

  it('has the part that was asked for', async () => {
    const lines = (await csvOf(snapshots, { fromSeconds: 0.5, toSeconds: 1, columns: ['disks'] })).split(
      '\r\n',
    );
    expect(lines.slice(1)).toEqual([expect.stringContaining('slow'), '']);
  });

  it('has all numbers when none was named, but no texts and no clock', async () => {
    const [header] = (await csvOf(snapshots, {})).split('\r\n');
    expect(header).toContain('health.cpu.durationSeconds');
    expect(header).not.toMatch(/status|wallMs|tickNs/);
  });
});
