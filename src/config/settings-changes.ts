import { isDeepStrictEqual } from 'node:util';
import type { AgentSettings } from './settings.ts';

/**
 * Every setting by the name that it has in the file, and whether it can change while the daemon runs. What cannot is held by
 * something that is opened once: a socket, the lock of a directory.
 */
const SETTINGS: Readonly<Record<keyof AgentSettings, readonly [name: string, canChange: boolean]>> = {
  listen: ['listen', false],
  profiler: ['profiler', false],
  dataDir: ['dataDir', false],
  tokenFile: ['tokenFile', false],
  profilesDir: ['profiles', true],
  roots: ['roots', true],
  workers: ['workers', true],
  webConfigFile: ['webConfig', true],
  samplerIntervalMs: ['sampler.interval', true],
  traces: ['traces', true],
  storage: ['storage', true],
  watch: ['watch', true],
  log: ['log', true],
  stopGraceMs: ['stop.grace', true],
};

/** Names of the settings that differ, of those that can change while the daemon runs or of those that cannot. */
export function changedSettings(
  before: AgentSettings,
  now: AgentSettings,
  { canChange }: { readonly canChange: boolean },
): readonly string[] {
  return (Object.keys(SETTINGS) as (keyof AgentSettings)[])
    .filter((key) => SETTINGS[key][1] === canChange && !isDeepStrictEqual(before[key], now[key]))
    .map((key) => SETTINGS[key][0]);
}
