import { type Problem, problem } from '../core/problem.ts';

export type TraceProblemKind =
  | 'folder-not-usable'
  | 'folder-not-writable'
  | 'disk-full'
  | 'trace-not-written';

/** What the operating system refused, as a problem. What it never says is a bug and thrown again. */
export function folderProblem(error: unknown, file: string): Problem<TraceProblemKind> {
  const code = errorCode(error);
  if (code === undefined) throw error;
  const named = (kind: TraceProblemKind, message: string, hint: string) =>
    problem(kind, `${message} (${code}).`, { place: { file }, hint });
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EEXIST':
    case 'ELOOP':
    case 'ENAMETOOLONG':
      return named(
        'folder-not-usable',
        'There is no folder for the trace here, and none can be made',
        'Give the path of a folder; what is on the way to it must be folders too.',
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return named(
        'folder-not-writable',
        'No permission to write the trace here',
        'Give the user that runs this process write permission on the folder, or write elsewhere.',
      );
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return named(
        'disk-full',
        'The disk has no room for the trace',
        'Free space or write elsewhere; the traces that are there are unchanged.',
      );
    default:
      return named('trace-not-written', 'The trace cannot be written', 'Check the disk.');
  }
}

/** What the operating system says, such as `ENOENT`; undefined for an error that is not its own. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code !== undefined && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}
