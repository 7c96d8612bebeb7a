import { InvalidArgumentError } from 'commander';
import { parseDurationSeconds } from '../../config/duration.ts';
import type { Goal } from '../../jobs/search/choose-candidate.ts';

/** `5ms`, or `0.5x` and `50%` of what float32 takes. */
export function latencyGoal(text: string): Goal {
  const relative = shareOfFloat32(text);
  if (relative !== undefined) return relative;
  const seconds = parseDurationSeconds(text) ?? 0;
  if (seconds > 0) return { kind: 'absolute', value: seconds };
  throw new InvalidArgumentError(
    `expected a latency such as 5ms, or a share of the float32 latency such as 0.5x, but found '${text}'`,
  );
}

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** `2MiB` or `2MB`, or `0.3x` and `30%` of the float32 file. */
export function sizeGoal(text: string): Goal {
  const relative = shareOfFloat32(text);
  if (relative !== undefined) return relative;
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([kKMG]?i?B)$/.exec(text) ?? [];
  const bytes = Number(digits) * (UNITS[unit] ?? Number.NaN);
  if (bytes >= 1) return { kind: 'absolute', value: Math.floor(bytes) };
  throw new InvalidArgumentError(
    `expected a size such as 2MiB, or a share of the float32 size such as 0.3x, but found '${text}'`,
  );
}

function shareOfFloat32(text: string): Goal | undefined {
  const [, digits = '', unit] = /^(\d+(?:\.\d+)?) ?(x|%)$/.exec(text) ?? [];
  const ratio = Number(digits) / (unit === '%' ? 100 : 1);
  return unit !== undefined && ratio > 0 ? { kind: 'relative', ratio } : undefined;
}
