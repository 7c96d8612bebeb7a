import type { Goal } from '../core/goal.ts';
import { parseDurationSeconds } from './duration.ts';

/** What goals look like in a settings file: a time or a size, or a share of what float32 has. */
export const LATENCY_GOAL_PATTERN = '^[0-9]+(\\.[0-9]+)?(ms|s|x|%)$';
export const SIZE_GOAL_PATTERN = '^[0-9]+(\\.[0-9]+)? ?(B|kB|MB|GB|KiB|MiB|GiB|x|%)$';

/** `5ms`, or `0.5x` and `50%` of what float32 takes; undefined for any other text, and for nothing. */
export function parseLatencyGoal(text: string): Goal | undefined {
  const seconds = parseDurationSeconds(text) ?? 0;
  return seconds > 0 ? { kind: 'absolute', value: seconds } : shareOfFloat32(text);
}

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** `2MiB` or `2MB`, or `0.3x` and `30%` of the float32 file; undefined as above. */
export function parseSizeGoal(text: string): Goal | undefined {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([kMG]?i?B)$/.exec(text) ?? [];
  const bytes = Number(digits) * (UNITS[unit] ?? Number.NaN);
  return bytes >= 1 ? { kind: 'absolute', value: Math.floor(bytes) } : shareOfFloat32(text);
}

function shareOfFloat32(text: string): Goal | undefined {
  const [, digits = '', unit] = /^(\d+(?:\.\d+)?) ?(x|%)$/.exec(text) ?? [];
  const ratio = Number(digits) / (unit === '%' ? 100 : 1);
  return unit !== undefined && ratio > 0 ? { kind: 'relative', ratio } : undefined;
}
