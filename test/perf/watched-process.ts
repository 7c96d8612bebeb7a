import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** What a command that has ended took, its child processes included. */
export interface WatchedRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
  /** The sum of what each process had resident at most: never less than the tree had at any one time. */
  readonly peakRssBytes: number;
}

const WATCH_INTERVAL_MS = 25;

/** Runs a command and watches the memory of its process tree. What it prints is kept whole. */
export async function watchProcess(command: string, args: readonly string[]): Promise<WatchedRun> {
  const peaks = new Map<number, number>();
  const start = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const watch = setInterval(() => notePeaks(child, peaks), WATCH_INTERVAL_MS);
  try {
    const [stdout, stderr, exitCode] = await Promise.all([
      readAll(child.stdout),
      readAll(child.stderr),
      exitOf(child),
    ]);
    const seconds = (performance.now() - start) / 1e3;
    const peakRssBytes = [...peaks.values()].reduce((sum, bytes) => sum + bytes, 0);
    return { exitCode, stdout, stderr, seconds, peakRssBytes };
  } finally {
    clearInterval(watch);
  }
}

/** Like `watchProcess`, for a command that prints JSON and must succeed. */
export async function watchJson<T>(
  command: string,
  args: readonly string[],
): Promise<WatchedRun & { readonly report: T }> {
  const run = await watchProcess(command, args);
  return { ...run, report: parseReport<T>(run) };
}

/** The JSON that a command printed; throws with what it says where it failed. */
export function parseReport<T>({ exitCode, stdout, stderr }: WatchedRun): T {
  if (exitCode !== 0) {
    const said = stderr.split('\n').find((line) => line.startsWith('error:')) ?? lastLine(stderr);
    throw new Error(`a measured command ended with ${exitCode}: ${said}`);
  }
  // A library may have printed lines of its own before.
  return JSON.parse(stdout.slice(stdout.search(/^[[{]/m))) as T;
}

/** Libraries warn on many lines before they say what is wrong. */
export function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}

function notePeaks({ pid }: ChildProcess, peaks: Map<number, number>): void {
  for (const member of treeOf(pid)) {
    const peak = peakOf(member);
    if (peak !== undefined) peaks.set(member, peak);
  }
}

/** A process and its descendants. */
function treeOf(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')
        .split(' ')
        .filter((text) => text !== '')
        .map(Number),
    );
    return [pid, ...children.flatMap(treeOf)];
  } catch {
    // It has ended in the meantime.
    return [];
  }
}

/** VmHWM: the most that the process had resident up to now. */
function peakOf(pid: number): number | undefined {
  try {
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    return undefined;
  }
}

async function readAll(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = '';
  if (stream !== null) for await (const chunk of stream) text += chunk.toString();
  return text;
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}
