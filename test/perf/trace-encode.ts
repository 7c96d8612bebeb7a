import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { formatBytes, formatSeconds } from '../../src/core/units.ts';
import { memoryRow, type OnRow, type PerfRow, plainRow } from './perf-row.ts';

const OPERATORS = 1_000_000;
/** Of the five seconds that a trace may take, most are for reading the profile. */
const MOST_SECONDS = { xspace: 1.5, perfetto: 2.5 };
const MOST_EXTRA_MIB = 100;

/** What writing a trace of a million operators costs, with what the allocator holds after each. Needs 200 MB in TMPDIR. */
export async function traceEncode(onRow: OnRow): Promise<readonly PerfRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ptq-perf-trace-'));
  const rows: PerfRow[] = [];
  try {
    for (const format of ['xspace', 'perfetto'] as const) {
      const { seconds, sizeBytes, peakBytes, extraBytes } = await encode(format, join(folder, format));
      const subject = `${format}, ${OPERATORS / 1e6} million operators and as many readings of memory`;
      const told = [
        {
          ...plainRow(subject, 'encoding and writing', formatSeconds(seconds)),
          target: `≤ ${MOST_SECONDS[format]} s`,
          reached: seconds <= MOST_SECONDS[format],
        },
        memoryRow(subject, 'memory above that of the trace', extraBytes, MOST_EXTRA_MIB),
        plainRow(subject, 'memory with the trace', formatBytes(peakBytes)),
        plainRow(subject, 'file', formatBytes(sizeBytes)),
      ];
      for (const row of told) onRow(row);
      rows.push(...told);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return rows;
}

interface Cost {
  readonly seconds: number;
  readonly sizeBytes: number;
  readonly peakBytes: number;
  readonly extraBytes: number;
}

async function encode(format: string, file: string): Promise<Cost> {
  const child = fileURLToPath(new URL('./trace-encode-child.ts', import.meta.url));
  const args = [...process.execArgv, child, format, String(OPERATORS), file];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Cost;
}
