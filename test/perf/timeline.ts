import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { toJson } from '../../src/core/json.ts';
import { formatBytes, formatSeconds } from '../../src/core/units.ts';
import type { Snapshot } from '../../src/telemetry/snapshot.ts';
import { memoryRow, type OnRow, type PerfRow, plainRow } from './perf-row.ts';
import { recordHost, syntheticDay, type Written, writeTimeline } from './timeline-day.ts';

const RECORDED_SECONDS = 120;
const DAY_SECONDS = 86_400;
const MOST_DAY_MB = 50;
const MOST_READ_SECONDS = 1;
const MOST_READ_MIB = 150;

/** How large timelines are, and what writing and reading them costs. Needs `npm run build`, three minutes and 60 MB in TMPDIR. */
export async function timeline(onRow: OnRow): Promise<readonly PerfRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ptq-perf-timeline-'));
  const rows: PerfRow[] = [];
  const tell = (...told: readonly PerfRow[]) => {
    for (const row of told) onRow(row);
    rows.push(...told);
  };
  try {
    const recorded = await recordHost(RECORDED_SECONDS);
    const host = join(folder, 'host.ptqt');
    tell(
      ...sizeRows(
        'this host, 10 Hz',
        host,
        await writeTimeline(host, () => recorded),
        RECORDED_SECONDS,
        recorded,
      ),
    );
    const day = join(folder, 'day.ptqt');
    const written = await writeTimeline(day, () => syntheticDay(recorded, DAY_SECONDS));
    tell(...sizeRows('a day of it, with a GPU', day, written, DAY_SECONDS));
    tell(
      ...(await readRows('day, what a page plots, 1,000 points', [
        day,
        '1000',
        'cpu,memory,disks,gpus,pressure',
      ])),
    );
    tell(...(await readRows('day, all columns of 40 workers too, 1,000 points', [day, '1000'])));
    tell(...(await readRows('day, one column, 1,000 points', [day, '1000', 'memory.availableBytes'])));
    tell(
      ...(await readRows('day, one column, 5,000 points: every sample is read', [
        day,
        '5000',
        'memory.availableBytes',
      ])),
    );
    tell(
      ...(await readRows('an hour of it, all columns, 1,000 points', [day, '1000', '', '40000', '43600'])),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return rows;
}

function sizeRows(
  subject: string,
  file: string,
  { snapshots, cpuSeconds }: Written,
  seconds: number,
  recorded?: readonly Snapshot[],
): PerfRow[] {
  const bytes = statSync(file).size;
  const dayMb = ((bytes / seconds) * DAY_SECONDS) / 1e6;
  return [
    plainRow(subject, 'snapshots', String(snapshots)),
    plainRow(subject, 'bytes a snapshot', (bytes / snapshots).toFixed(1)),
    ...(recorded === undefined
      ? []
      : [
          plainRow(
            subject,
            'bytes a snapshot as JSON',
            (
              recorded.reduce((sum, snapshot) => sum + toJson(snapshot).length + 1, 0) / recorded.length
            ).toFixed(0),
          ),
        ]),
    {
      ...plainRow(subject, 'a day, MB', dayMb.toFixed(1)),
      target: `≤ ${MOST_DAY_MB}`,
      reached: dayMb <= MOST_DAY_MB,
    },
    plainRow(subject, 'CPU time for a snapshot', formatSeconds(cpuSeconds)),
  ];
}

async function readRows(subject: string, args: readonly string[]): Promise<PerfRow[]> {
  const child = fileURLToPath(new URL('./timeline-read-child.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, child, ...args]);
  const { seconds, extraBytes } = JSON.parse(stdout) as {
    readonly seconds: number;
    readonly extraBytes: number;
  };
  const isCoarse = subject.startsWith('day, what') || subject.startsWith('day, one column, 1,000');
  return [
    {
      ...plainRow(subject, 'reading', formatSeconds(seconds)),
      ...(isCoarse ? { target: `≤ ${MOST_READ_SECONDS} s`, reached: seconds <= MOST_READ_SECONDS } : {}),
    },
    isCoarse
      ? memoryRow(subject, 'memory above that of the program', extraBytes, MOST_READ_MIB)
      : plainRow(subject, 'memory above that of the program', formatBytes(extraBytes)),
  ];
}
