import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { WorkerRole } from '../metrics/worker-metrics.ts';
import { isConfined, type WorkerEntry } from './confinement/confined-entry.ts';
import { launchConfined, type WorkerLaunch } from './confinement/confined-worker.ts';
import { wallSecondsOf } from './confinement/worker-limits.ts';
import type { CpuList } from './cpu-list.ts';
import { lineSplitter } from './line-splitter.ts';
import type { LiveSystem } from './live-system.ts';
import { defaultMemoryLimitBytes, memoryLimitExceeded, watchResidentMemory } from './memory-limit.ts';
import { pinnedFork, pinningProblem } from './pinned-fork.ts';
import { reasonOfExit, timeLimitExceeded } from './worker-exit.ts';
import type {
  StopLoad,
  SutCommand,
  TraceCommand,
  WorkerEvent,
  WorkerMessage,
  WorkerTask,
} from './worker-protocol.ts';

/** How the parent makes workers. */
export interface WorkerHost {
  /** The compiled `jobs/worker-main.js`, with what confines it where it is to be confined. */
  readonly entry: WorkerEntry;
  /** Keeps every worker to these CPUs, with all its threads; see `usableCpus`. Any CPU where not given. */
  readonly cpus?: CpuList;
  /** Told of every worker's process id and what it is for, so that telemetry can watch it. */
  readonly onSpawn?: (pid: number, role: WorkerRole) => void;
  readonly onExit?: (pid: number) => void;
  /** Told of every line that a worker writes to stderr, up to a limit. */
  readonly onStderrLine?: (line: string, pid: number | undefined) => void;
  /** Told of every system under test that starts. */
  readonly onSystem?: (system: LiveSystem) => void;
  /** Waited for before a worker that has answered is ended, so that telemetry can see the last of it. Never rejects. */
  readonly beforeEnd?: (pid: number) => Promise<void>;
  /**
   * The most memory of GPUs that a worker was seen to hold so far, where somebody reads them; null where that cannot be told. Never
   * rejects.
   */
  readonly peakGpuMemoryBytes?: (pid: number) => Promise<number | null>;
}

export interface WorkerControls {
  readonly onEvent?: (event: WorkerEvent) => void;
  /** Ends the worker: SIGTERM, and SIGKILL when it has not gone after `killAfterMs`. */
  readonly signal?: AbortSignal;
  readonly killAfterMs?: number;
  /**
   * The worker is ended at once when more than this of its memory is resident; a confined one at most of what is free unless given
   * (see `defaultMemoryLimitBytes`).
   */
  readonly maxRssBytes?: number;
  /** What it is going to be asked. A worker is confined only to what a known task needs. */
  readonly task?: WorkerTask;
  /** Folders that it may write to beside those of its task. */
  readonly writable?: readonly string[];
  /** What the worker is for; `other` unless given. */
  readonly role?: WorkerRole;
}

/** With this variable set, what a worker writes to stderr is shown, stacks of faults among it, with lines of the sources. */
const DEBUG = 'PTQ_AGENT_DEBUG';

const STDERR_TAIL_CHARACTERS = 4096;
const KILL_AFTER_MS = 5000;

/** How long the end of a process may take to be known after its channel has closed. */
const GONE_WITHIN_MS = 2000;

/**
 * One worker process, from its start to its end. It answers one request at a time; `ask` gives the answer or the reason
 * why none will come, and `close` leaves no process behind. Problems: `cancelled`, `worker-killed` (by a signal from outside), `worker-crashed` (by itself),
 * `memory-limit-exceeded`, `cannot-pin-worker`, and what the worker reports.
 */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #host: WorkerHost;
  readonly #controls: WorkerControls;
  readonly #killAfterMs: number;
  readonly #exit = deferred<Problem>();
  #stderrTail = '';
  #ended: Problem | undefined;
  #overLimit: Problem | undefined;
  #clear = (): void => {};
  #waiting: ((answer: Result<unknown, Problem>) => void) | undefined;

  constructor(host: WorkerHost, controls: WorkerControls = {}) {
    this.#host = host;
    this.#controls = controls;
    this.#killAfterMs = controls.killAfterMs ?? KILL_AFTER_MS;
    const { file, words, switches, environment, clear } = this.#launch();
    this.#clear = clear;
    this.#child = fork(file, words, {
      serialization: 'advanced',
      execArgv: [...switches],
      ...(environment === undefined ? {} : { env: environment }),
      // Out of the terminal's process group: Ctrl-C is for the parent, which then decides what becomes of its workers.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      ...(host.cpus === undefined
        ? {}
        : pinnedFork(host.cpus, { execPath: process.execPath, execArgv: switches })),
    });
    const { pid } = this.#child;
    if (pid !== undefined) {
      host.onSpawn?.(pid, controls.role ?? 'other');
      this.#limitMemory(pid);
      this.#limitTime();
    }
    const tellLines = lineSplitter((line) => host.onStderrLine?.(line, pid));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      tellLines(text);
      this.#stderrTail = (this.#stderrTail + text).slice(-STDERR_TAIL_CHARACTERS);
      if (DEBUG in process.env) process.stderr.write(text);
    });
    this.#child.on('message', (message: WorkerMessage) => this.#receive(message));
    this.#child.on('error', (error) => {
      const unpinned = host.cpus === undefined ? undefined : pinningProblem(host.cpus, error);
      this.#end(unpinned ?? problem('worker-crashed', `the worker cannot run: ${error.message}`));
      // What never started has no `close` to wait for.
      if (pid === undefined) {
        this.#clear();
        this.#exit.resolve(this.#ended as Problem);
      }
    });
    // `close` comes after stderr has been read to its end, `exit` may not.
    this.#child.on('close', (code, signal) => {
      if (pid !== undefined) host.onExit?.(pid);
      this.#clear();
      this.#end(this.#reasonOfExit(code, signal));
      this.#exit.resolve(this.#ended as Problem);
    });
    controls.signal?.addEventListener('abort', this.#stop, { once: true });
    if (controls.signal?.aborted) this.#stop();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Sends a request and waits for its answer, however long it takes; the end of the process is an answer too. */
  ask(request: WorkerTask | SutCommand): Promise<Result<unknown, Problem>> {
    if (this.#ended !== undefined) return Promise.resolve(err(this.#ended));
    // What never started, as where no file can be opened, cannot be sent anything; why is known in a moment.
    if (this.#child.pid === undefined) return this.exited.then(err);
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#child.send(request, (error) => {
        // It may have gone before it heard, as one that is being cancelled; its end then gives the answer, and the reason.
        if (error) setTimeout(() => this.#unreachable(resolve, error), GONE_WITHIN_MS).unref();
      });
    });
  }

  /** Tells the worker something that it does not answer. */
  tell(request: StopLoad | TraceCommand): void {
    // Whoever has gone has stopped as well.
    if (this.#ended === undefined) this.#child.send(request, () => {});
  }

  /** Settles with the reason when the process is gone, whoever ended it. */
  get exited(): Promise<Problem> {
    return this.#exit.promise;
  }

  /** Ends the process at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Ends the process and all programs that it has started, at once. Each worker leads a process group of its own. */
  killGroup(): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#ended !== undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  }

  /** Ends the process, once `beforeEnd` has seen one that still runs, and waits until it is gone. */
  async close(): Promise<void> {
    const { pid } = this.#child;
    if (pid !== undefined && this.#ended === undefined && !this.#controls.signal?.aborted) {
      await this.#host.beforeEnd?.(pid);
    }
    this.kill();
    await this.#exit.promise;
  }

  readonly #stop = (): void => {
    this.#child.kill('SIGTERM');
    // A worker inside the runtime cannot hear SIGTERM before the call returns.
    setTimeout(() => this.#child.kill('SIGKILL'), this.#killAfterMs).unref();
  };

  #launch(): WorkerLaunch {
    const { entry } = this.#host;
    const { task, writable } = this.#controls;
    const switches =
      DEBUG in process.env ? [...process.execArgv, '--enable-source-maps'] : [...process.execArgv];
    if (isConfined(entry) && task !== undefined) {
      const memoryBytes = this.#maxRssBytes();
      return launchConfined(entry, task, {
        switches,
        ...(memoryBytes === undefined ? {} : { memoryBytes }),
        ...(writable === undefined ? {} : { writable }),
      });
    }
    return {
      file: fileURLToPath(isConfined(entry) ? entry.main : entry),
      words: [],
      switches,
      clear: () => {},
    };
  }

  #maxRssBytes(): number | undefined {
    const { entry } = this.#host;
    const { maxRssBytes } = this.#controls;
    if (maxRssBytes !== undefined || !isConfined(entry)) return maxRssBytes;
    return entry.limits.memoryBytes ?? defaultMemoryLimitBytes();
  }

  #limitMemory(pid: number): void {
    const maxRssBytes = this.#maxRssBytes();
    if (maxRssBytes === undefined) return;
    const stop = watchResidentMemory(pid, maxRssBytes, (rssBytes) => {
      this.#overLimit = memoryLimitExceeded(rssBytes, maxRssBytes);
      this.kill();
    });
    // `close` can come later, when the pid may be another process's already.
    this.#child.once('exit', stop);
  }

  #limitTime(): void {
    const { entry } = this.#host;
    const { task } = this.#controls;
    if (!isConfined(entry) || task === undefined) return;
    const seconds = wallSecondsOf(entry.limits, task.kind);
    if (seconds === undefined) return;
    const timer = setTimeout(() => {
      this.#overLimit ??= timeLimitExceeded(seconds);
      this.killGroup();
    }, seconds * 1e3).unref();
    this.#child.once('exit', () => clearTimeout(timer));
  }

  #unreachable(waiting: (answer: Result<unknown, Problem>) => void, error: Error): void {
    if (this.#waiting !== waiting || this.#controls.signal?.aborted) return;
    this.#answer(err(problem('worker-crashed', `the worker cannot be reached: ${error.message}`)));
  }

  #receive(message: WorkerMessage): void {
    if (message.kind === 'done') this.#answer(ok(message.value));
    else if (message.kind === 'failed') this.#answer(err(message.problem));
    else this.#controls.onEvent?.(message);
  }

  #end(reason: Problem): void {
    this.#ended ??= reason;
    this.#controls.signal?.removeEventListener('abort', this.#stop);
    this.#answer(err(this.#ended));
  }

  #answer(answer: Result<unknown, Problem>): void {
    const resolve = this.#waiting;
    this.#waiting = undefined;
    resolve?.(answer);
  }

  #reasonOfExit(code: number | null, signal: NodeJS.Signals | null): Problem {
    if (this.#controls.signal?.aborted) return problem('cancelled', 'the job was cancelled');
    if (this.#overLimit !== undefined && signal === 'SIGKILL') return this.#overLimit;
    return reasonOfExit(code, signal, this.#stderrTail);
  }
}

const ROLES: Readonly<Partial<Record<WorkerTask['kind'], WorkerRole>>> = {
  quantize: 'quantize',
  evaluate: 'evaluate',
  'cold-start': 'bench',
  peaks: 'bench',
  'profile-operators': 'bench',
};

/** Runs one task in a worker of its own, which ends with the answer. */
export async function runTask(
  host: WorkerHost,
  task: WorkerTask,
  controls: WorkerControls = {},
): Promise<Result<unknown, Problem>> {
  const worker = new WorkerProcess(host, { role: ROLES[task.kind] ?? 'other', task, ...controls });
  const answer = await worker.ask(task);
  await worker.close();
  return answer;
}

function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
