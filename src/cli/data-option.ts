import { statSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import type { Profile } from '../config/profile.ts';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import type { TaskData } from '../jobs/task-data.ts';

/** What `--data` and `--calibration` name: data, or a profile that says where it is and how to judge on it. */
export interface DataChoice extends TaskData {
  readonly profile?: Profile;
}

/** What the data is for: a profile has a split for each. */
type Purpose = 'calibration' | 'evaluation';

const SPLITS: Readonly<Record<Purpose, string>> = { calibration: 'calib', evaluation: 'eval' };

export const DATA_HELP =
  'data: .npz, .npy, .jsonl, idx, .wav, a .json of perf_analyzer, a folder of pictures, recordings or test_data_set_N, a .yaml that describes it, or a profile';

/**
 * Reads a data option. `.yaml`, `.yml` and folders with a `profile.yaml` are profiles or, without a model, descriptions of
 * data; `random` is made-up data; everything else is data itself. What has no splits is taken whole unless one is named.
 */
export async function resolveData(
  data: string,
  split: string | undefined,
  purpose: Purpose,
): Promise<Result<DataChoice, readonly Problem[]>> {
  if (data === 'random') return ok({ spec: { path: '', format: 'random' }, split: split ?? 'all' });
  if (!isDescription(data)) {
    const own = extname(data) === '.npz' ? SPLITS[purpose] : 'all';
    return ok({ spec: { path: resolve(data) }, split: split ?? own });
  }
  const { describesDataAlone, loadDataSet } = await import('../config/load-data.ts');
  if ((await describesDataAlone(descriptionFile(data))) === true) {
    const set = await loadDataSet(descriptionFile(data));
    if (!set.ok) return set;
    const isSplit = set.value.splits !== undefined || extname(set.value.path) === '.npz';
    return ok({ spec: set.value, split: split ?? (isSplit ? SPLITS[purpose] : 'all') });
  }
  const { loadProfile } = await import('../config/load-profiles.ts');
  const profile = await loadProfile(data);
  if (!profile.ok) return profile;
  const { set, [purpose]: part } = profile.value.data;
  return ok({ spec: set, split: split ?? part.split, profile: profile.value });
}

function isDescription(path: string): boolean {
  return ['.yaml', '.yml'].includes(extname(path)) || isFile(join(path, 'profile.yaml'));
}

function descriptionFile(path: string): string {
  return isFile(join(path, 'profile.yaml')) ? join(path, 'profile.yaml') : path;
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
