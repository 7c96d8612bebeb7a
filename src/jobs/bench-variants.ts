import { type BenchProgress, type BenchRun, runBench } from '../benchmark/controller.ts';
import type { BenchSettings } from '../benchmark/settings.ts';
import type { NamedSut, SutHandle } from '../benchmark/sut-handle.ts';
import type { Clock } from '../core/clock.ts';
import type { Problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import type { CarriedState } from '../data/carried-state.ts';
import type { SutTask } from './sut-task.ts';
import type { TaskData } from './task-data.ts';
import { type WorkerHost, WorkerProcess } from './worker-process.ts';
import type { SutCommand, WorkerEvent } from './worker-protocol.ts';

/** A model file under the name by which results and metrics know it. */
export interface NamedModel {
  readonly variant: string;
  readonly path: string;
}

export interface BenchRequest {
  readonly model: string;
  readonly variants: readonly NamedModel[];
  readonly data: TaskData;
  /** Threads inside an operator; 0 for every core. */
  readonly threads: number;
  /** Samples that one run works through; 1 unless given. */
  readonly batch?: number;
  /** Of a recurrent model; every variant carries its own. */
  readonly states?: readonly CarriedState[];
  readonly settings: BenchSettings;
}

export interface BenchDeps {
  readonly host: WorkerHost;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Cancels the rest as soon as one variant's process ends, for those who need all or nothing. */
  readonly stopAtFirstFailure?: boolean;
  readonly onProgress?: (progress: BenchProgress) => void;
}

/**
 * Benchmarks variants against one another, each in a process of its own so that memory and a crash are its own, in
 * interleaved rounds. The first variant is the base of the speed-ups.
 */
export async function benchVariants(request: BenchRequest, deps: BenchDeps): Promise<BenchRun> {
  const workers: WorkerProcess[] = [];
  const failed = new AbortController();
  const suts = request.variants.map((variant) => {
    const listener: Listener = {};
    const worker = new WorkerProcess(deps.host, { onEvent: (event) => listener.onEvent?.(event) });
    workers.push(worker);
    if (deps.stopAtFirstFailure === true) void worker.exited.then(() => failed.abort());
    return namedSut(request, variant, worker, listener);
  });
  try {
    return await runBench(suts, request.settings, {
      clock: deps.clock,
      signal: deps.signal === undefined ? failed.signal : AbortSignal.any([deps.signal, failed.signal]),
      ...(deps.onProgress === undefined ? {} : { onProgress: deps.onProgress }),
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
  }
}

/** Whoever asked last hears what the worker tells before it answers. */
interface Listener {
  onEvent?: (event: WorkerEvent) => void;
}

function namedSut(
  request: BenchRequest,
  variant: NamedModel,
  worker: WorkerProcess,
  listener: Listener,
): NamedSut {
  const { data, threads, batch = 1, states, settings } = request;
  const task: SutTask = {
    kind: 'sut',
    modelPath: variant.path,
    data,
    threads,
    lanes: settings.concurrency,
    batch,
    ...(states === undefined ? {} : { states }),
  };
  const ask = <T>(command: SutTask | SutCommand, onEvent: (event: WorkerEvent) => void = () => {}) => {
    listener.onEvent = onEvent;
    // The worker is this program's own, so what it answers has the type of what it was asked.
    return worker.ask(command) as Promise<Result<T, Problem>>;
  };
  const handle: SutHandle = {
    load: () => ask(task),
    warmUp: (spec, onAlive) => ask({ verb: 'warm-up', spec }, onAlive),
    round: (spec, onRuns) =>
      ask({ verb: 'round', spec }, (event) => {
        if (event.kind === 'runs') onRuns(event.records);
      }),
    finish: () => ask({ verb: 'finish' }),
    stop: () => worker.tell({ verb: 'stop' }),
    kill: () => worker.kill(),
  };
  return {
    identity: {
      model: request.model,
      variant: variant.variant,
      device: 'cpu',
      provider: 'CPUExecutionProvider',
      threads: request.threads === 0 ? null : request.threads,
    },
    handle,
  };
}
