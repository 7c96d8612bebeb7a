import type { Device } from '../core/device.ts';
import type { Peaks } from '../trace/roofline/peaks.ts';
import { keptPeaks } from './host-peaks.ts';
import { readTraceParts } from './trace-spool.ts';
import type { WorkerHost } from './worker-process.ts';

/**
 * The peaks that are kept of what the traced sessions of a spool folder ran on: their devices, and the CPU, which runs what a device
 * has no kernel for. Nothing is measured.
 */
export async function peaksOfParts(
  spool: string,
  peaksFolder: string,
  host: WorkerHost,
): Promise<readonly Peaks[]> {
  const { parts } = await readTraceParts(spool);
  const sessions = new Map<string, { readonly device: Device; readonly threads: number }>();
  for (const { device, threads } of parts) {
    if (threads === undefined) continue;
    for (const used of [device, 'cpu'] as const) {
      sessions.set(JSON.stringify([used, threads]), { device: used, threads });
    }
  }
  const peaks: Peaks[] = [];
  for (const session of sessions.values()) {
    const kept = await keptPeaks({ ...session, folder: peaksFolder }, host);
    if (kept !== undefined) peaks.push(kept);
  }
  return peaks;
}
