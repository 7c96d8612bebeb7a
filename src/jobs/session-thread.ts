import { parentPort, Worker } from 'node:worker_threads';
import { type Problem, ProblemError, problem } from '../core/problem.ts';
import type { NamedTensors, RunBatch, Tensor } from '../core/tensor.ts';
import type { Session, SessionSettings } from '../runtime/session.ts';
import { type RunAll, runStages } from './run-stages.ts';
import { type FirstRunsTrace, openTracedSession } from './traced-session.ts';
import { unwrap } from './unwrap.ts';

/** What the thread is asked for. It works through its requests one after another and answers each but the last. */
type Request =
  | {
      readonly kind: 'open';
      readonly path: string;
      readonly settings: SessionSettings;
      readonly trace: FirstRunsTrace | undefined;
    }
  | { readonly kind: 'run'; readonly feeds: NamedTensors; readonly changes: readonly NamedTensors[] }
  | { readonly kind: 'unload' }
  | { readonly kind: 'close' };

type Answer =
  | { readonly ok: true; readonly outputs: readonly NamedTensors[] }
  | { readonly ok: false; readonly problem: Problem };

/** A session in a thread of its own, as inference blocks the thread that it runs in. */
export interface SessionThread {
  /**
   * Loads a model, before the first run; one that is loaded after another runs behind it, on what that gives and what it is fed as well.
   * Throws `ProblemError`.
   */
  open(path: string, settings: SessionSettings, trace?: FirstRunsTrace): Promise<void>;
  /** May be called again before the run before has ended; runs are one after another all the same. */
  readonly run: RunBatch;
  /** Likewise, the last model once with each of some changes of what it is fed. */
  readonly runAll: RunAll;
  /** Lets the runs end that were asked for, and lets go of the models. */
  unload(): Promise<void>;
  /** Lets the runs end that were asked for, and then the thread. */
  close(): Promise<void>;
}

/** Starts the thread, which loads the runtime at once. @param entry the compiled `session-thread-main.js` */
export function startSessionThread(entry: URL): SessionThread {
  const worker = new Worker(entry);
  const waiting: {
    readonly resolve: (answer: readonly NamedTensors[]) => void;
    readonly reject: (why: Error) => void;
  }[] = [];
  let ended: Error | undefined;
  const end = (why: Error): void => {
    ended ??= why;
    for (const { reject } of waiting.splice(0)) reject(ended);
  };
  worker.on('message', (answer: Answer) => {
    const { resolve, reject } = waiting.shift() ?? {};
    if (answer.ok) resolve?.(answer.outputs);
    else reject?.(new ProblemError(answer.problem));
  });
  worker.on('error', end);
  const exited = new Promise<void>((resolve) => {
    worker.on('exit', () => {
      end(new ProblemError(endedEarly()));
      resolve();
    });
  });
  const ask = (request: Request): Promise<readonly NamedTensors[]> =>
    new Promise((resolve, reject) => {
      if (ended !== undefined) return reject(ended);
      waiting.push({ resolve, reject });
      worker.postMessage(request);
    });
  return {
    open: async (path, settings, trace) => {
      await ask({ kind: 'open', path, settings, trace });
    },
    run: async (feeds) => (await ask({ kind: 'run', feeds, changes: [{}] }))[0] as NamedTensors,
    runAll: (feeds, changes) => ask({ kind: 'run', feeds, changes }),
    unload: async () => {
      await ask({ kind: 'unload' });
    },
    close: async () => {
      // ONNX Runtime ends the whole process when its thread is ended while it computes, so the thread has to end by itself.
      worker.postMessage({ kind: 'close' } satisfies Request);
      await exited;
    },
  };
}

function endedEarly(): Problem {
  return problem('worker-crashed', 'a thread that runs the model ended before its work was done', {
    hint: 'please report it, with the model if you can',
  });
}

/** The thread's own side. */
export function sessionThreadMain(): void {
  const port = parentPort;
  if (port === null) throw new Error('a session was started outside of a thread');
  const stages: Session[] = [];
  const perform = async (request: Exclude<Request, { kind: 'close' }>): Promise<readonly NamedTensors[]> => {
    if (request.kind === 'run') return runStages(stages, request.feeds, request.changes);
    if (request.kind === 'unload') {
      for (const session of stages.splice(0)) await session.close();
      return [];
    }
    stages.push(unwrap(await openTracedSession(request.path, request.settings, request.trace)));
    return [];
  };
  const obey = async (request: Request): Promise<void> => {
    if (request.kind === 'close') {
      for (const session of stages) await session.close();
      port.close();
      return;
    }
    let answer: Answer;
    try {
      answer = { ok: true, outputs: await perform(request) };
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      answer = { ok: false, problem: error.problem };
    }
    port.postMessage(answer, answer.ok ? buffersOf(answer.outputs) : []);
  };
  let last = Promise.resolve();
  port.on('message', (request: Request) => {
    last = last.then(() => obey(request));
  });
}

/** What can change hands instead of being copied: nobody else holds what the runtime gave out. */
function buffersOf(outputs: readonly NamedTensors[]): ArrayBuffer[] {
  const buffers = outputs
    .flatMap(Object.values)
    .flatMap(({ data }: Tensor) => ('buffer' in data ? [data.buffer] : []));
  return [...new Set(buffers)] as ArrayBuffer[];
}
