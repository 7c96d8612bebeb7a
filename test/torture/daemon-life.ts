import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DIGITS_MODEL } from '../support/program.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const PATIENCE_MS = 10_000;
const RUN_PATIENCE_MS = 300_000;

/** Where a tortured daemon lives. */
export interface Home {
  readonly profiles: string;
  readonly dataDir: string;
  readonly tmpDir: string;
  readonly lockDir: string;
  /** Settings, where the defaults are not what is wanted. */
  readonly config?: string;
  /** What all daemons of the torture write goes here. */
  readonly logFile: string;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** One daemon from its start to its end, whoever ends it. */
export class DaemonLife {
  readonly #child: ChildProcess;
  readonly #dataDir: string;
  #url: string | undefined;
  #stderr = '';
  /** Resolves with how it ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  #hasEnded = false;
  readonly #onSuccess: (() => void)[] = [];

  /** @param nodeOptions for Node.js, before the program */
  constructor(
    { profiles, dataDir, tmpDir, lockDir, config, logFile }: Home,
    nodeOptions: readonly string[] = [],
    more: Readonly<Record<string, string>> = {},
  ) {
    this.#dataDir = dataDir;
    const addresses = ['--listen', '127.0.0.1:0', '--profiler', 'off'];
    const roots = ['--root', dirname(DIGITS_MODEL)];
    const args = [
      ...nodeOptions,
      MAIN,
      'serve',
      '--profiles',
      profiles,
      '--data-dir',
      dataDir,
      ...addresses,
      ...roots,
      ...(config === undefined ? [] : ['--config', config]),
    ];
    const env = { ...process.env, TMPDIR: tmpDir, PTQ_AGENT_LOCK_DIR: lockDir, ...more };
    this.#child = spawn(process.execPath, args, { env, detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      appendFileSync(logFile, text);
      this.#stderr = (this.#stderr + text).slice(-20_000);
      this.#url ??= /"address":"([^"]+)"/.exec(this.#stderr)?.[1];
      if (text.includes('run succeeded')) for (const told of this.#onSuccess.splice(0)) told();
    });
    this.ended = new Promise((resolve) => {
      this.#child.on('exit', (code, signal) => {
        this.#hasEnded = true;
        resolve({ code, signal });
      });
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get isListening(): boolean {
    return this.#url !== undefined;
  }

  /** What it said last. */
  get lastWords(): string {
    return this.#stderr.trimEnd().split('\n').slice(-3).join(' | ');
  }

  /** Resolves when its log says that a run has succeeded. */
  nextSuccess(): Promise<void> {
    return new Promise((resolve) => this.#onSuccess.push(resolve));
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Undefined where no answer came, as from a daemon that was killed meanwhile: what was asked may have been done. */
  async ask(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    { body, key }: { readonly body?: object; readonly key?: string } = {},
  ): Promise<Answer | undefined> {
    if (this.#url === undefined || this.#hasEnded) return undefined;
    try {
      const token = readFileSync(join(this.#dataDir, 'token'), 'utf8').trim();
      const answer = await fetch(`${this.#url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(path.endsWith('/events') ? RUN_PATIENCE_MS : PATIENCE_MS),
      });
      const text = await answer.text();
      const isJson = answer.headers.get('content-type')?.includes('json') === true;
      return { status: answer.status, body: isJson ? JSON.parse(text) : text };
    } catch (error) {
      if (error instanceof Error && error.name === 'TimeoutError' && !this.#hasEnded)
        throw new Error(`${method} ${path} was not answered within ${PATIENCE_MS} ms`);
      return undefined;
    }
  }
}
