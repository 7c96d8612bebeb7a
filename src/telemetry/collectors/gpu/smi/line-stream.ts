import { type ChildProcess, spawn } from 'node:child_process';
import type { SmiEnd } from './smi-problems.ts';

export interface LineStreamEvents {
  /** Whether the line is one of those that were asked for; the others are kept as the program's words. */
  line(text: string): boolean;
  /** It is over: told once, and not after `stop`. */
  ended(end: StreamEnd): void;
}

export type StreamEnd =
  | ({ readonly kind: 'exit' } & SmiEnd)
  | { readonly kind: 'not-started'; readonly code: string }
  | { readonly kind: 'silent'; readonly silentMs: number };

export interface LineStreamLimits {
  /** For the first line, which waits for the driver. */
  readonly firstLineMs: number;
  readonly silenceMs: number;
  /** From SIGTERM to SIGKILL. */
  readonly killAfterMs: number;
}

/** A line that has not ended by here is none of ours. */
const MAX_LINE_CHARS = 64 * 1024;
const KEPT_WORDS_CHARS = 2048;

/** A program that prints lines for as long as it runs, with a watchdog that ends it when it falls silent. */
export class LineStream {
  readonly #process: ChildProcess;
  readonly #events: LineStreamEvents;
  readonly #killAfterMs: number;
  #watchdog: NodeJS.Timeout | undefined;
  #silentMs: number;
  #rest = '';
  #words = '';
  #isOver = false;
  #hasExited = false;

  /** Without `limits.silenceMs` it may stay silent. */
  constructor(
    command: string,
    parameters: readonly string[],
    limits: LineStreamLimits,
    events: LineStreamEvents,
    { mayBeSilent = false } = {},
  ) {
    this.#events = events;
    this.#killAfterMs = limits.killAfterMs;
    this.#silentMs = limits.firstLineMs;
    this.#process = spawn(command, parameters, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => this.#receive(text, limits));
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => this.#keepWords(text));
    this.#process.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#process.pid !== undefined) return;
      this.#hasExited = true;
      this.#end({ kind: 'not-started', code: error.code ?? error.message });
    });
    // `close`, not `exit`: by then its last words have been read.
    this.#process.on('close', (code, signal) => {
      this.#hasExited = true;
      this.#end({ kind: 'exit', code, signal, words: `${this.#words}\n${this.#rest}` });
    });
    this.#process.on('exit', () => {
      this.#hasExited = true;
    });
    if (!mayBeSilent) this.#watch();
  }

  /** False for one that cannot be killed, as its driver call hangs. */
  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** Ends it without waiting. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#watchdog);
    this.#kill();
  }

  #watch(): void {
    this.#watchdog = setTimeout(() => {
      this.#end({ kind: 'silent', silentMs: this.#silentMs });
      this.#kill();
    }, this.#silentMs).unref();
  }

  #receive(text: string, limits: LineStreamLimits): void {
    if (this.#isOver) return;
    const lines = (this.#rest + text).split('\n');
    this.#rest = (lines.pop() ?? '').slice(-MAX_LINE_CHARS);
    for (const line of lines) {
      const asked = this.#events.line(line.endsWith('\r') ? line.slice(0, -1) : line);
      if (!asked) this.#keepWords(`${line}\n`);
      else if (this.#watchdog !== undefined && !this.#isOver) {
        clearTimeout(this.#watchdog);
        this.#silentMs = limits.silenceMs;
        this.#watch();
      }
    }
  }

  #keepWords(text: string): void {
    this.#words = (this.#words + text).slice(-KEPT_WORDS_CHARS);
  }

  #kill(): void {
    if (this.#hasExited) return;
    this.#process.kill('SIGTERM');
    setTimeout(() => {
      if (this.#hasExited) return;
      this.#process.kill('SIGKILL');
      // Whether it dies or not, nothing of it is waited for.
      this.#process.unref();
      this.#process.stdout?.destroy();
      this.#process.stderr?.destroy();
    }, this.#killAfterMs).unref();
  }

  #end(end: StreamEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#watchdog);
    this.#events.ended(end);
  }
}
