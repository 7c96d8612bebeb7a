/** The most memory that this process has had resident (VmHWM). */
export function peakRssBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

/** User and system CPU time of this process so far. */
export function processCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
