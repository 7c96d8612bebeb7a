import { readFileSync } from 'node:fs';

/**
 * The most memory that this process has had resident (VmHWM). Not `ru_maxrss`: for a process that was forked that one
 * begins at the peak of its parent, so a small worker of a large daemon would report the daemon's memory.
 */
export function peakRssBytes(): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(ownStatus())?.[1];
  return (kibibytes === undefined ? process.resourceUsage().maxRSS : Number(kibibytes)) * 1024;
}

function ownStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    // Only Linux has it; elsewhere the next best figure is used.
    return '';
  }
}

/** User and system CPU time of this process so far. */
export function processCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
