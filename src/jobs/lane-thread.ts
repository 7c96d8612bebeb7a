import { parentPort, Worker, workerData } from 'node:worker_threads';
import { type Problem, ProblemError, problem } from '../core/problem.ts';
import { type LaneResult, type LaneShare, type LaneTask, openLane } from './evaluation-lane.ts';

/** What a thread tells. It sends no more results than it was asked for. */
type LaneMessage =
  | { readonly kind: 'result'; readonly result: LaneResult }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly problem: Problem };

/** Results that a thread may have sent that nobody has taken: enough that it never waits, and few in memory. */
const WINDOW = 4;

/** What a thread is asked for: its share of the samples, one more result, or to end. */
type LaneRequest = LaneShare | 'next' | 'stop';

/** A lane in a thread of its own, as inference blocks the thread that it runs in. It loads its models at once. */
export interface LaneThread {
  /** Its share of the results, once; the thread is over then, also where the consumer stops early. */
  results(share: LaneShare): AsyncGenerator<LaneResult>;
  /** Ends a thread that was given no share. */
  close(): Promise<void>;
}

/** @param entry the compiled `lane-main.js` */
export function startLane(entry: URL, task: LaneTask): LaneThread {
  const worker = new Worker(entry, { workerData: task });
  const ask = (request: LaneRequest) => worker.postMessage(request);
  const inbox: (LaneMessage | { readonly kind: 'crashed'; readonly error: Error })[] = [];
  let wake = () => {};
  let end = () => {};
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  const put = (message: (typeof inbox)[number]): void => {
    inbox.push(message);
    wake();
    if (message.kind !== 'result') end();
  };
  worker.on('message', put);
  worker.on('error', (error: Error) => put({ kind: 'crashed', error }));
  // As when code of the user's own ends its process, which in a thread ends the thread without an error.
  worker.on('exit', () => put({ kind: 'failed', problem: endedEarly() }));
  const close = async (): Promise<void> => {
    // ONNX Runtime ends the whole process when its thread is ended while it computes, so the thread has to stop by itself.
    ask('stop');
    await over;
    await worker.terminate();
  };
  async function* results(share: LaneShare): AsyncGenerator<LaneResult> {
    ask(share);
    try {
      while (true) {
        const message = inbox.shift();
        if (message === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        } else if (message.kind === 'result') {
          ask('next');
          yield message.result;
        } else if (message.kind === 'end') {
          return;
        } else {
          throw message.kind === 'failed' ? new ProblemError(message.problem) : message.error;
        }
      }
    } finally {
      await close();
    }
  }
  return { results, close };
}

function endedEarly(): Problem {
  return problem('worker-crashed', 'a thread of the evaluation ended before its work was done', {
    hint: 'see whether a module of your own ends the process, as process.exit does',
  });
}

/**
 * The thread's own side: loads its models, works through the share that it is given, waits where its results are not taken,
 * and stops when it is told to.
 */
export async function laneThreadMain(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('a lane was started outside of a thread');
  const send = (message: LaneMessage) => port.postMessage(message);
  let allowed = WINDOW;
  let isStopped = false;
  let share: LaneShare | undefined;
  let proceed = () => {};
  const nextRequest = () =>
    new Promise<void>((resolve) => {
      proceed = resolve;
    });
  port.on('message', (request: LaneRequest) => {
    if (request === 'stop') isStopped = true;
    else if (request === 'next') allowed += 1;
    else share = request;
    proceed();
  });
  try {
    const lane = await openLane(workerData as LaneTask);
    while (share === undefined && !isStopped) await nextRequest();
    for await (const result of share === undefined ? [] : lane.results(share)) {
      if (isStopped) break;
      send({ kind: 'result', result });
      allowed -= 1;
      while (allowed <= 0 && !isStopped) await nextRequest();
    }
    await lane.close();
    send({ kind: 'end' });
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    send({ kind: 'failed', problem: error.problem });
  } finally {
    port.close();
  }
}
