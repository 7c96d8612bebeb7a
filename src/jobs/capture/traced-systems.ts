import type { TracePart } from '../../trace/trace-part.ts';
import type { LiveSystem } from '../live-system.ts';
import type { WorkerEvent } from '../worker-protocol.ts';
import type { LiveWork } from './live-work.ts';

/** Systems under test while they are traced. */
export interface TracedSystems {
  /** Settles when all that lived at the beginning trace, or will not. */
  readonly begun: Promise<void>;
  /** Has all of them trace no more and gives what they traced; never rejects. */
  end(): Promise<TracedSystemsResult>;
}

export interface TracedSystemsResult {
  readonly parts: readonly TracePart[];
  /** What is missing and why, as sentences. */
  readonly warnings: readonly string[];
}

export interface TracedSystemsOptions {
  /** An existing folder. */
  readonly folder: string;
  /** How long a system may take to hand over what it traced, such as the time of a run that it is in. */
  readonly answerWithinMs?: number;
  /** How long to wait for traced sessions to be there. */
  readonly beginWithinMs?: number;
}

const ANSWER_WITHIN_MS = 15_000;
const BEGIN_WITHIN_MS = 20_000;

/** Has every system that lives trace what it runs, and every one that starts meanwhile, until `end`. */
export function traceSystems(live: LiveWork, options: TracedSystemsOptions): TracedSystems {
  const traced = live.systems.map((system) => traceSystem(system, options));
  const stopListening = live.listen({
    systemStarted: (system) => traced.push(traceSystem(system, options)),
  });
  return {
    begun: Promise.all(traced.map(({ begun }) => begun)).then(() => {}),
    end: async () => {
      stopListening();
      const results = await Promise.all(traced.map((system) => system.end()));
      return {
        parts: results.flatMap(({ parts }) => parts),
        warnings: results.flatMap(({ warnings }) => warnings),
      };
    },
  };
}

/** One system. Its trace ends with `end`, or before the process is closed, as what a process traced dies with it. */
function traceSystem(
  system: LiveSystem,
  { folder, answerWithinMs = ANSWER_WITHIN_MS, beginWithinMs = BEGIN_WITHIN_MS }: TracedSystemsOptions,
): TracedSystems {
  const { model, variant } = system.identity;
  const begun = deferred<void>();
  const answered = deferred<TracedSystemsResult>();
  let mustBeEnded = true;
  const missing = (why: string) =>
    answered.resolve({ parts: [], warnings: [`What ${variant} ran is not in the trace: ${why}`] });
  const stopListening = system.onEvent((event: WorkerEvent) => {
    if (event.kind === 'trace-begun') begun.resolve();
    if (event.kind !== 'traced') return;
    // One that could not begin has answered already, and must not be told to end what may be somebody else's trace.
    mustBeEnded = false;
    begun.resolve();
    if (event.problem === undefined) answered.resolve({ parts: event.parts, warnings: [] });
    else missing(event.problem.message);
  });
  void system.exited.then(() => {
    begun.resolve();
    missing('its process ended');
  });
  system.tell({
    verb: 'trace',
    spool: { folder, modelId: `${model}:${variant}`, thread: `bench ${variant}` },
  });
  const end = async (): Promise<TracedSystemsResult> => {
    if (mustBeEnded) system.tell({ verb: 'end-trace' });
    mustBeEnded = false;
    const tooLate = setTimeout(
      () => missing(`it handed nothing over within ${answerWithinMs / 1000} s`),
      answerWithinMs,
    );
    const result = await answered.promise;
    clearTimeout(tooLate);
    stopListening();
    return result;
  };
  system.beforeClose(async () => void (await end()));
  return { begun: within(begun.promise, beginWithinMs), end };
}

/** Settles when `done` does, or when the time is up. */
async function within(done: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([done, late]);
  clearTimeout(timer);
}

function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
