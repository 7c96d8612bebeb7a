import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { WorkerRole } from '../metrics/worker-metrics.ts';
import type { CpuList } from './cpu-list.ts';
import type { LiveSystem } from './live-system.ts';
import { memoryLimitExceeded, watchResidentMemory } from './memory-limit.ts';
import { pinnedFork, pinningProblem, refusedPinning } from './pinned-fork.ts';
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
  /** The compiled `jobs/worker-main.js`. */
  readonly entry: URL;
  /** Keeps every worker to these CPUs, with all its threads; see `usableCpus`. Any CPU where not given. */
  readonly cpus?: CpuList;
  /** Told of every worker's process id and what it is for, so that telemetry can watch it. */
  readonly onSpawn?: (pid: number, role: WorkerRole) => void;
  readonly onExit?: (pid: number) => void;
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
  /** The worker is ended at once when more than this of its memory is resident; see `defaultMemoryLimitBytes`. */
  readonly maxRssBytes?: number;
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
  #waiting: ((answer: Result<unknown, Problem>) => void) | undefined;

  constructor(host: WorkerHost, controls: WorkerControls = {}) {
    this.#host = host;
    this.#controls = controls;
    this.#killAfterMs = controls.killAfterMs ?? KILL_AFTER_MS;
    this.#child = fork(fileURLToPath(host.entry), [], {
      serialization: 'advanced',
      execArgv: DEBUG in process.env ? [...process.execArgv, '--enable-source-maps'] : process.execArgv,
      // Out of the terminal's process group: Ctrl-C is for the parent, which then decides what becomes of its workers.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      ...(host.cpus === undefined ? {} : pinnedFork(host.cpus)),
    });
    const { pid } = this.#child;
    if (pid !== undefined) {
      host.onSpawn?.(pid, controls.role ?? 'other');
      this.#limitMemory(pid);
    }
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderrTail = (this.#stderrTail + text).slice(-STDERR_TAIL_CHARACTERS);
      if (DEBUG in process.env) process.stderr.write(text);
    });
    this.#child.on('message', (message: WorkerMessage) => this.#receive(message));
    this.#child.on('error', (error) => {
      const unpinned = host.cpus === undefined ? undefined : pinningProblem(host.cpus, error);
      this.#end(unpinned ?? problem('worker-crashed', `the worker cannot run: ${error.message}`));
      // What never started has no `close` to wait for.
      if (pid === undefined) this.#exit.resolve(this.#ended as Problem);
    });
    // `close` comes after stderr has been read to its end, `exit` may not.
    this.#child.on('close', (code, signal) => {
      if (pid !== undefined) host.onExit?.(pid);
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

  #limitMemory(pid: number): void {
    const { maxRssBytes } = this.#controls;
    if (maxRssBytes === undefined) return;
    const stop = watchResidentMemory(pid, maxRssBytes, (rssBytes) => {
      this.#overLimit = memoryLimitExceeded(rssBytes, maxRssBytes);
      this.kill();
    });
    // `close` can come later, when the pid may be another process's already.
    this.#child.once('exit', stop);
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
    const said = lastWords(this.#stderrTail);
    const words = said === undefined ? '' : `; its last words: ${said.slice(0, 300)}`;
    if (signal === 'SIGKILL' || signal === 'SIGTERM') {
      return problem('worker-killed', `the worker was ended by ${signal} from outside${words}`, {
        hint:
          signal === 'SIGKILL'
            ? 'if nobody did it on purpose, the kernel did for lack of memory: see `dmesg`'
            : 'start the job again',
      });
    }
    const refused = refusedPinning(said);
    if (refused !== undefined) return refused;
    const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
    return problem('worker-crashed', `the worker ended ${how} before it was done${words}`, {
      hint: 'the model made the runtime abort; check it with the ONNX checker of the tool that wrote it',
    });
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
  const worker = new WorkerProcess(host, { role: ROLES[task.kind] ?? 'other', ...controls });
  const answer = await worker.ask(task);
  await worker.close();
  return answer;
}

/** The last line that is not a part of a stack trace or the version that Node.js signs an uncaught error with. */
function lastWords(stderr: string): string | undefined {
  return stderr
    .split('\n')
    .filter((line) => /^\S/.test(line) && !/^(Node\.js v|[}\]])/.test(line))
    .at(-1);
}

function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
