import { randomBytes } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file in which a process says that it has, or wants, the lock. */
export interface LockClaim {
  readonly file: string;
  readonly pid: number;
  /** What it measures on; null where its file does not say so legibly. */
  readonly device: string | null;
  /** Milliseconds since the Unix epoch. */
  readonly sinceMs: number;
}

// The name says whose it is, so that a claim holds from the moment its file is there, whatever is in it.
const NAME = /^ptq-agent-bench-([1-9]\d{0,9})-(\d{1,20})-[0-9a-f]{8}\.lock$/;

/** In a name, where the kernel does not tell when a process started. */
const UNKNOWN_START = '0';

const MAX_CONTENT_BYTES = 4096;

/** A name is shown on terminals, and anybody may have written it. */
const LEGIBLE = /^[\x20-\x7e]{1,80}$/;

/**
 * Puts a claim of this process into a folder and gives its file. Throws the error of the file system, also where a link lies
 * in its place.
 */
export function putClaim(folder: string, device: string, procPath: string): string {
  const start = readProcess(procPath, process.pid)?.start ?? UNKNOWN_START;
  const name = `ptq-agent-bench-${process.pid}-${start}-${randomBytes(4).toString('hex')}.lock`;
  const file = join(folder, name);
  writeFileSync(file, `${JSON.stringify({ device })}\n`, { flag: 'wx', mode: 0o644 });
  return file;
}

export function removeClaim(file: string): void {
  try {
    unlinkSync(file);
  } catch {
    // It is gone already, or the folder is; either way nobody is kept waiting by it.
  }
}

/**
 * The claims of living processes, without the own one. Those of processes that are gone are removed where that is allowed; a
 * name with pid and start is never used again, so nobody else's claim can be hit. Throws the error of the file system.
 */
export function livingClaims(folder: string, procPath: string, own?: string): readonly LockClaim[] {
  const claims: LockClaim[] = [];
  for (const name of readdirSync(folder).sort()) {
    const match = NAME.exec(name);
    const file = join(folder, name);
    if (match === null || file === own) continue;
    const stat = lstatSync(file, { throwIfNoEntry: false });
    // A claim is a plain file: what is at the end of a link or a pipe is not looked at.
    if (stat === undefined || !stat.isFile()) continue;
    const pid = Number(match[1]);
    const living = isLiving(procPath, pid, match[2] as string, stat.uid);
    if (living) claims.push({ file, pid, device: deviceIn(file, stat.size), sinceMs: stat.mtimeMs });
    else removeClaim(file);
  }
  return claims;
}

/**
 * False only where it is sure that the process which made the claim is gone, or that another user's process is named in it:
 * a pid alone can be a later process's.
 */
function isLiving(procPath: string, pid: number, start: string, fileUid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and is another user's.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  const found = readProcess(procPath, pid);
  // Where /proc hides the processes of others (hidepid), the pid has to do.
  if (found === undefined) return true;
  if (found.ended || (start !== UNKNOWN_START && found.start !== start)) return false;
  return found.uid === undefined || found.uid === fileUid;
}

/** From proc(5): the state, the start in clock ticks since boot, and whose files it writes (the last of `Uid`). */
function readProcess(procPath: string, pid: number) {
  const stat = readIfThere(`${procPath}/${pid}/stat`);
  // The command's name stands in brackets and may itself hold brackets; state is field 3 and the start field 22.
  const fields = stat?.slice(stat.lastIndexOf(') ') + 2).split(' ');
  const start = fields?.[22 - 3];
  if (fields === undefined || start === undefined) return undefined;
  const status = readIfThere(`${procPath}/${pid}/status`);
  const uid = status === undefined ? undefined : /^Uid:(?:\s+\d+){3}\s+(\d+)$/m.exec(status)?.[1];
  return {
    start,
    ended: fields[0] === 'Z' || fields[0] === 'X',
    uid: uid === undefined ? undefined : Number(uid),
  };
}

function deviceIn(file: string, sizeBytes: number): string | null {
  const text = sizeBytes > MAX_CONTENT_BYTES ? undefined : readIfThere(file);
  if (text === undefined) return null;
  try {
    const content: unknown = JSON.parse(text);
    if (typeof content !== 'object' || content === null || !('device' in content)) return null;
    return typeof content.device === 'string' && LEGIBLE.test(content.device) ? content.device : null;
  } catch {
    // Being written just now, or not by us.
    return null;
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
