import { type ChildProcess, fork } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Problem, problem } from '../core/problem.ts';
import { type ReadActivity, readActivity } from './activity.ts';
import type { CollectorName } from './collectors/all.ts';
import { decodeSnapshots, SAMPLER_STDIO, SNAPSHOTS_DESCRIPTOR, type ToSampler } from './sampler-messages.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Why there are no snapshots. `collector-hung`: silent within a collector. `sampler-stuck`: it does not even die of SIGKILL,
 * as in a hung driver call.
 */
export type SamplerProblem = Problem<
  'sampler-exited' | 'sampler-silent' | 'collector-hung' | 'sampler-stuck' | 'sampler-not-started'
>;

export interface SamplerChildEvents {
  snapshot(snapshot: Snapshot): void;
  /** It no longer delivers; its process may still exist. `hung` is the collector in which it fell silent. */
  down(problem: SamplerProblem, hung?: CollectorName): void;
  /** Its process cannot be killed, after `down`. It may still end, some day. */
  stuck(problem: SamplerProblem): void;
  /** Its process is gone. Told once, last, after `down`. */
  ended(): void;
}

/** Starts a process with an IPC channel; tests give one of their own. */
export type StartProcess = (entry: URL) => ChildProcess;

/**
 * Of V8. With a small nursery it keeps to some 60 MB instead of 90. `predictable` does without helper threads, which would have to be woken,
 * and does not give back the nursery's pages after each collection, only to have them cleared by the kernel for the next. What an optimizing
 * compiler spends on code that runs ten times a second it does not earn.
 */
const SAMPLER_FLAGS = ['--max-semi-space-size=1', '--predictable', '--no-opt'];

const forkProcess: StartProcess = (entry) =>
  fork(fileURLToPath(entry), {
    // A debugger or a loader of the parent is not for the child.
    execArgv: SAMPLER_FLAGS,
    stdio: [...SAMPLER_STDIO],
  });

export interface SamplerChildOptions {
  readonly entry: URL;
  /** What it runs. */
  readonly collectors: readonly CollectorName[];
  readonly silenceLimitMs: number;
  readonly killAfterMs: number;
  readonly startProcess?: StartProcess | undefined;
  readonly readActivity?: ReadActivity | undefined;
}

/** Enough for the message and the stack of one uncaught error. */
const KEPT_STDERR_CHARS = 4096;

/** One sampler process from its start to its end, with the watchdog that ends it when it falls silent. */
export class SamplerChild {
  readonly #process: ChildProcess;
  readonly #options: SamplerChildOptions;
  readonly #events: SamplerChildEvents;
  readonly #gone: Promise<void>;
  #resolveGone = () => {};
  #silenceLimitMs: number;
  #watchdog: NodeJS.Timeout | undefined;
  /** Asks it what it does, before it counts as silent. */
  #question: NodeJS.Timeout | undefined;
  #killTimer: NodeJS.Timeout | undefined;
  /** Of the snapshots that it sends. */
  #lines = 0;
  #unfinishedLine = '';
  #stderr = '';
  #isDown = false;
  #hasEnded = false;

  constructor(options: SamplerChildOptions, events: SamplerChildEvents) {
    this.#options = options;
    this.#events = events;
    this.#silenceLimitMs = options.silenceLimitMs;
    this.#gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
    this.#process = (options.startProcess ?? forkProcess)(options.entry);
    readableOf(this.#process, SNAPSHOTS_DESCRIPTOR)
      ?.setEncoding('utf8')
      .on('data', (text: string) => this.#receive(text));
    // `close`, not `exit`: by then its last words have been read.
    this.#process.on('close', (code, signal) => this.#end(this.#exitProblem(code, signal)));
    this.#process.on('error', (error) => this.#fail(error));
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-KEPT_STDERR_CHARS);
    });
    this.#unref();
    this.#restartWatchdog();
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  send(message: ToSampler): void {
    // A channel that closes under the message is told by `exit`; the callback keeps it from being an uncaught error.
    if (this.#process.connected) this.#process.send(message, () => {});
  }

  setSilenceLimitMs(silenceLimitMs: number): void {
    this.#silenceLimitMs = silenceLimitMs;
    if (!this.#isDown) this.#restartWatchdog();
  }

  /** Asks it to end, then kills it. Resolves when it is gone or has proved unkillable; never rejects. */
  async stop(): Promise<void> {
    if (this.#hasEnded) return;
    this.#isDown = true;
    clearTimeout(this.#watchdog);
    clearTimeout(this.#question);
    this.send({ type: 'stop' });
    this.#killSoon();
    // Waiting for the end is the one time when the child must keep the parent alive; its end is told when its pipes have closed,
    // which may be after the process has gone.
    const awake = setInterval(() => {}, this.#options.killAfterMs);
    await this.#gone;
    clearInterval(awake);
  }

  #receive(text: string): void {
    const lines = (this.#unfinishedLine + text).split('\n');
    this.#unfinishedLine = lines.pop() ?? '';
    for (const line of lines) {
      // Once it is being replaced its late snapshots no longer count.
      if (this.#isDown) return;
      this.#lines += 1;
      this.#watchdog?.refresh();
      this.#question?.refresh();
      for (const snapshot of decodeSnapshots(line)) this.#events.snapshot(snapshot);
    }
  }

  #restartWatchdog(): void {
    clearTimeout(this.#watchdog);
    clearTimeout(this.#question);
    this.#watchdog = setTimeout(() => this.#checkSilence(), this.#silenceLimitMs).unref();
    this.#question = setTimeout(() => this.send({ type: 'tellActivity' }), this.#silenceLimitMs / 2).unref();
  }

  #checkSilence(): void {
    const linesBefore = this.#lines;
    // When this process itself was held up, the snapshots are waiting in the pipe and are read before `setImmediate`.
    setImmediate(() => {
      if (this.#isDown || this.#lines !== linesBefore) return;
      this.#downBySilence();
      this.#process.kill('SIGTERM');
      this.#killSoon();
    });
  }

  #downBySilence(): void {
    const { pid } = this.#process;
    const read = this.#options.readActivity ?? readActivity;
    const { collector, processState } = pid === undefined ? {} : read(pid, this.#options.collectors);
    const how = processState === undefined ? '' : ` (process state ${processState})`;
    const limit = `${this.#silenceLimitMs} ms`;
    if (collector === undefined) {
      this.#down(
        problem('sampler-silent', `The sampler sent no snapshot for ${limit}${how} and is replaced.`),
      );
    } else {
      const message = `The collector ${collector} hangs: no snapshot for ${limit}${how}. Its process is replaced.`;
      this.#down(problem('collector-hung', message), collector);
    }
  }

  #killSoon(): void {
    clearTimeout(this.#killTimer);
    this.#killTimer = setTimeout(() => {
      this.#process.kill('SIGKILL');
      this.#killTimer = setTimeout(() => this.#giveUp(), this.#options.killAfterMs).unref();
    }, this.#options.killAfterMs).unref();
  }

  #giveUp(): void {
    this.#unref();
    this.#events.stuck(
      problem('sampler-stuck', `The sampler (pid ${this.#process.pid}) does not end even when killed.`, {
        hint: 'A driver call of the kernel hangs; see the kernel log.',
      }),
    );
    this.#resolveGone();
  }

  #down(reason: SamplerProblem, hung?: CollectorName): void {
    this.#isDown = true;
    this.#events.down(reason, hung);
  }

  #fail(error: Error): void {
    // `error` also reports a failed kill or send of a process that runs; only a start that failed leaves no pid.
    if (this.#process.pid !== undefined) return;
    this.#end(problem('sampler-not-started', `The sampler cannot be started: ${error.message}`));
  }

  #end(reason: SamplerProblem): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#watchdog);
    clearTimeout(this.#question);
    clearTimeout(this.#killTimer);
    // One that was killed for its silence ends by a signal, which is no news: the silence is the reason.
    if (!this.#isDown) this.#down(reason);
    this.#resolveGone();
    this.#events.ended();
  }

  #exitProblem(code: number | null, signal: string | null): SamplerProblem {
    const how = signal === null ? `with status ${code}` : `by ${signal}`;
    const said = this.#stderr
      .split('\n')
      .find((line) => line.includes('Error'))
      ?.trim();
    return problem('sampler-exited', `The sampler ended ${how}${said === undefined ? '.' : `: ${said}`}`);
  }

  /** A sampler serves its parent and must not keep it from ending. */
  #unref(): void {
    this.#process.unref();
    this.#process.channel?.unref();
    for (const descriptor of [2, SNAPSHOTS_DESCRIPTOR]) {
      const stream = readableOf(this.#process, descriptor);
      if (stream !== undefined && 'unref' in stream && typeof stream.unref === 'function') stream.unref();
    }
  }
}

/** What the process writes on a descriptor; undefined where it could not be started. */
function readableOf({ stdio }: ChildProcess, descriptor: number): Readable | undefined {
  const stream = stdio[descriptor];
  return stream !== null && stream !== undefined && 'setEncoding' in stream ? stream : undefined;
}
