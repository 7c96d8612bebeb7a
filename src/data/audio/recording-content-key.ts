import { attemptAsync, type Problem } from '../../core/problem.ts';
import { err, type Result } from '../../core/result.ts';
import { fileContentKey } from '../formats/content-key.ts';

/** The content key of a recording's file. Errors: `data-unreadable`, with the position of the item that asked. */
export async function recordingContentKey(path: string, item: number): Promise<Result<string, Problem>> {
  const key = await attemptAsync(() => fileContentKey(path));
  return key.ok ? key : err({ ...key.error, place: { ...key.error.place, sample: item } });
}

/** `recordingContentKey` for many items of the same file one after another: it is read once. */
export function reuseLastKey(): typeof recordingContentKey {
  let last: { readonly path: string; readonly key: ReturnType<typeof recordingContentKey> } | undefined;
  return (path, item) => {
    if (last?.path !== path) last = { path, key: recordingContentKey(path, item) };
    return last.key;
  };
}
