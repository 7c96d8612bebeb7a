import { join } from 'node:path';

/**
 * Folders of runs, below the folder that a viewer is started on. TensorFlow's looks for runs in `plugins/profile`; what
 * Perfetto opens lies outside of it.
 */
export const RUN_TREES = { xspace: join('plugins', 'profile'), perfetto: 'perfetto' } as const;

/** A file that says that a run is ours, and when it began. Viewers read files with the endings that they know, and this is none. */
export const MARK_FILE = '.ptq-agent.json';

/** How the names of folders in the making begin. They lie where no viewer looks for runs. */
export const TEMPORARY_PREFIX = '.ptq-agent-tmp-';

/** File systems take 255 bytes, and viewers add endings. */
const MAX_FILE_NAME = 200;

/** `2026_11_26_19_44_54`, in local time, as TensorBoard names runs. One more of the same second ends in `_1`, then `_2`. */
export function runName(startedAt: Date, again: number): string {
  const date = [startedAt.getFullYear(), startedAt.getMonth() + 1, startedAt.getDate()];
  const time = [startedAt.getHours(), startedAt.getMinutes(), startedAt.getSeconds()];
  const name = [...date, ...time].map((part) => String(part).padStart(2, '0')).join('_');
  return again === 0 ? name : `${name}_${again}`;
}

/** A host's name as a part of the name of a file: the viewers show what stands before the ending, and take no colon. */
export function hostFileName(hostname: string): string {
  const clean = hostname
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .replace(/^\.+/, '')
    .slice(0, MAX_FILE_NAME);
  return clean === '' ? 'host' : clean;
}

/** What the mark of a run says that began so many milliseconds after 1970. */
export function markText(startedMs: number): string {
  return `${JSON.stringify({ madeBy: 'ptq-agent', startedMs })}\n`;
}

/** When the run of a mark began; undefined where it is no mark of ours. */
export function readMarkText(text: string): number | undefined {
  try {
    const mark: unknown = JSON.parse(text);
    if (typeof mark !== 'object' || mark === null) return undefined;
    const { madeBy, startedMs } = mark as Readonly<Record<string, unknown>>;
    return madeBy === 'ptq-agent' && typeof startedMs === 'number' ? startedMs : undefined;
  } catch {
    return undefined;
  }
}
