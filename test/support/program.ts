import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = join(ROOT, 'dist/cli/main.js');

export const DIGITS_MODEL = join(ROOT, 'profiles/digits/digits.onnx');
export const DIGITS_DATA = join(ROOT, 'profiles/digits/digits.npz');

/** Whether the program has been compiled; tests of the whole of it are skipped otherwise. */
export const isBuilt = existsSync(MAIN);

export interface Finished {
  /** Undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Sends a signal to the program and all its children, as a terminal does at Ctrl-C. */
  readonly signalGroup: (signal: NodeJS.Signals) => void;
}

/**
 * Starts the compiled program in a process group of its own.
 * @param within a command that becomes the program, such as `nsenter --net=…`
 */
export function startProgram(
  args: readonly string[],
  cwd = ROOT,
  more: Readonly<Record<string, string>> = {},
  within: readonly string[] = [],
): Program {
  const env = { ...process.env, NO_COLOR: '1', ...more };
  const [command = process.execPath, ...words] = [...within, process.execPath, MAIN, ...args];
  const child = spawn(command, words, { cwd, env, detached: true });
  const text = { stdout: '', stderr: '' };
  for (const side of ['stdout', 'stderr'] as const) {
    child[side].setEncoding('utf8').on('data', (chunk: string) => {
      text[side] += chunk;
    });
  }
  const finished = new Promise<Finished>((resolve) => {
    child.on('close', (code, signal) =>
      resolve({ ...text, code: code ?? undefined, signal: signal ?? undefined }),
    );
  });
  const pid = child.pid as number;
  return {
    pid,
    child,
    finished,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    signalGroup: (signal) => process.kill(-pid, signal),
  };
}

export function runProgram(
  args: readonly string[],
  cwd?: string,
  within?: readonly string[],
): Promise<Finished> {
  return startProgram(args, cwd, {}, within).finished;
}

export interface ProfileChoices {
  readonly model?: string;
  readonly calibrationSamples?: number;
  readonly duration?: string;
  readonly threads?: number;
  /** Has full runs explain the variant, as little as can be. */
  readonly explain?: boolean;
}

/** Writes `<folder>/<name>/profile.yaml` for the bundled digits, with so little work that a test can wait for it. */
export function writeProfile(folder: string, name: string, choices: ProfileChoices = {}): string {
  const {
    model = DIGITS_MODEL,
    calibrationSamples = 16,
    duration = '300ms',
    threads = 1,
    explain = false,
  } = choices;
  const home = join(folder, name);
  mkdirSync(home, { recursive: true });
  writeFileSync(
    join(home, 'profile.yaml'),
    `name: ${name}
model: ${model}
data: { path: ${DIGITS_DATA}, calibration: { samples: ${calibrationSamples} }, evaluation: { samples: 50 } }
task: classification
variants: [ { name: int8, recipe: static-int8 } ]
budget: { metric: top1, absolute: 0.5 }
${explain ? 'explain: { samples: 4, top: 2 }\n' : ''}bench: { threads: ${threads}, scenarios: [ { scenario: single-stream, duration: ${duration}, processes: 1, rounds: 4 } ] }
`,
  );
  return home;
}

/** The children of a process whose command line holds `part`. */
export function childrenOf(pid: number, part = ''): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => parentOf(candidate) === pid && commandOf(candidate).includes(part));
}

/** Whether a process runs; one that has ended and waits for its parent does not. */
export function isRunning(pid: number): boolean {
  const state = statOf(pid)?.[0];
  return state !== undefined && state !== 'Z';
}

function parentOf(pid: number): number {
  return Number(statOf(pid)?.[1]);
}

/** The fields of /proc/PID/stat behind the name, which may itself hold spaces and parentheses. */
function statOf(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
