import { rm, stat } from 'node:fs/promises';
import { formatBytes } from '../../core/units.ts';
import type { TracePart } from '../../trace/trace-part.ts';

/** Removes profiles beyond a total size, and gives a warning for each. */
export async function leaveOutProfiles(
  parts: readonly TracePart[],
  maxBytes: number,
): Promise<readonly string[]> {
  const warnings: string[] = [];
  let totalBytes = 0;
  for (const { modelId, thread, profileFile } of parts) {
    if (profileFile === undefined) continue;
    const sizeBytes = await stat(profileFile).then(
      ({ size }) => size,
      () => 0,
    );
    if (totalBytes + sizeBytes <= maxBytes) {
      totalBytes += sizeBytes;
      continue;
    }
    await rm(profileFile, { force: true });
    warnings.push(
      `Operators of ${modelId} (${thread}) are left out: profiles of more than ${formatBytes(maxBytes)} are too much for a capture`,
    );
  }
  return warnings;
}
