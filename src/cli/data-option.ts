import { statSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Profile } from '../config/profile.ts';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';

/** What `--data` names: a file of samples, or a profile that says where they are and how to judge on them. */
export interface DataChoice {
  readonly dataPath: string;
  readonly split: string;
  readonly profile?: Profile;
}

/** Reads `--data`: `.yaml`, `.yml` and folders with a `profile.yaml` are profiles, everything else is data. */
export async function resolveData(
  data: string,
  split: string | undefined,
): Promise<Result<DataChoice, readonly Problem[]>> {
  if (!isProfile(data)) return ok({ dataPath: data, split: split ?? 'eval' });
  const { loadProfile } = await import('../config/load-profiles.ts');
  const profile = await loadProfile(data);
  if (!profile.ok) return profile;
  const { path, evaluation } = profile.value.data;
  return ok({ dataPath: path, split: split ?? evaluation.split, profile: profile.value });
}

function isProfile(path: string): boolean {
  if (['.yaml', '.yml'].includes(extname(path))) return true;
  try {
    return statSync(join(path, 'profile.yaml')).isFile();
  } catch {
    return false;
  }
}
