import type { BenchSettings } from '../benchmark/settings.ts';
import type { Contestant, NamedSut, SutHandle } from '../benchmark/sut-handle.ts';
import type { TracedPassSpec } from '../benchmark/traced-pass.ts';
import type { LoadedSut, OwnUsage, SutIdentity } from '../benchmark/variant-record.ts';
import type { Device } from '../core/device.ts';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import type { CarriedState } from '../data/carried-state.ts';
import { PROVIDER_OF } from '../runtime/nodes-by-provider.ts';
import type { LiveSystem } from './live-system.ts';
import { defaultMemoryLimitBytes } from './memory-limit.ts';
import type { SutTask } from './sut-task.ts';
import type { TaskData } from './task-data.ts';
import { type WorkerHost, WorkerProcess } from './worker-process.ts';
import type { SutCommand, WorkerEvent } from './worker-protocol.ts';

/** A model file under the name by which results and metrics know it. */
export interface NamedModel {
  readonly variant: string;
  readonly path: string;
  /** What its requests are known by in a trace; `<model>:<variant>` unless given. */
  readonly traceId?: string;
}

export interface BenchRequest {
  readonly model: string;
  readonly variants: readonly NamedModel[];
  readonly data: TaskData;
  /** Threads inside an operator; 0 for every core. */
  readonly threads: number;
  /** What a process may have resident before it is ended; most of what is free unless given. */
  readonly maxRssBytes?: number;
  /** The CPU unless given. */
  readonly device?: Device;
  /** Samples that one run works through; 1 unless given. */
  readonly batch?: number;
  /** Of a recurrent model; every variant carries its own. */
  readonly states?: readonly CarriedState[];
  /** Where traced passes leave what they traced. */
  readonly traceFolder?: string;
  readonly settings: BenchSettings;
}

/** A variant that is about to be measured, in a process that is the caller's to close. */
export interface StartedVariant {
  readonly sut: NamedSut;
  readonly worker: WorkerProcess;
}

/** Starts a variant in a process of its own, so that memory and a crash are its own. */
export function startVariant(request: BenchRequest, variant: NamedModel, host: WorkerHost): StartedVariant {
  const { maxRssBytes = defaultMemoryLimitBytes() } = request;
  const { data, threads, batch = 1, states, settings, device = 'cpu' } = request;
  const task: SutTask = {
    kind: 'sut',
    modelPath: variant.path,
    device,
    data,
    threads,
    lanes: settings.concurrency,
    batch,
    ...(states === undefined ? {} : { states }),
  };
  // Whoever asked last hears what the worker tells before it answers.
  let listener: (event: WorkerEvent) => void = () => {};
  const onlookers = new Set<(event: WorkerEvent) => void>();
  const lastActions: (() => Promise<void>)[] = [];
  const worker = new WorkerProcess(host, {
    role: 'bench',
    task,
    ...(request.traceFolder === undefined ? {} : { writable: [request.traceFolder] }),
    onEvent: (event) => {
      listener(event);
      for (const onlooker of onlookers) onlooker(event);
    },
    ...(maxRssBytes === undefined ? {} : { maxRssBytes }),
  });
  const ask = <T>(command: SutTask | SutCommand, onEvent: (event: WorkerEvent) => void = () => {}) => {
    listener = onEvent;
    // The worker is this program's own, so what it answers has the type of what it was asked.
    return worker.ask(command) as Promise<Result<T, Problem>>;
  };
  const identity = identityOf(request, variant);
  const live: LiveSystem = {
    identity,
    tell: (order) => worker.tell(order),
    onEvent: (onlooker) => {
      onlookers.add(onlooker);
      return () => onlookers.delete(onlooker);
    },
    beforeClose: (action) => lastActions.push(action),
    exited: worker.exited,
  };
  const handle: SutHandle = {
    load: () => {
      const loaded = ask<LoadedSut>(task);
      // Its lanes can be told things from now on.
      host.onSystem?.(live);
      return loaded;
    },
    warmUp: (spec, onAlive) => ask({ verb: 'warm-up', spec }, onAlive),
    round: (spec, onRuns) =>
      ask({ verb: 'round', spec }, (event) => {
        if (event.kind === 'runs') onRuns(event.records);
      }),
    finish: async (spec, onAlive) => {
      // Read first, as a traced pass and the checks take memory of their own.
      const peakGpuMemoryBytes = await peakGpuMemoryOf(worker, host);
      const command = { verb: 'finish', ...tracedPass(request, variant, spec) } as const;
      const usage = await ask<OwnUsage>(command, () => onAlive?.());
      return usage.ok ? ok({ ...usage.value, peakGpuMemoryBytes }) : usage;
    },
    stop: () => worker.tell({ verb: 'stop' }),
    kill: () => worker.kill(),
    close: async () => {
      await Promise.all(lastActions.map((action) => action()));
      await worker.close();
    },
  };
  return { sut: { identity, handle }, worker };
}

/** A variant whose every start is a process of its own. */
export function contestantOf(request: BenchRequest, variant: NamedModel, host: WorkerHost): Contestant {
  return {
    identity: identityOf(request, variant),
    start: () => startVariant(request, variant, host).sut.handle,
  };
}

/** Without a folder to trace into nothing is traced. */
function tracedPass(
  { model, traceFolder: folder }: BenchRequest,
  { variant, traceId }: NamedModel,
  spec: TracedPassSpec | undefined,
): Pick<Extract<SutCommand, { verb: 'finish' }>, 'trace'> {
  if (spec === undefined || folder === undefined) return {};
  const modelId = traceId ?? `${model}:${variant}`;
  return { trace: { spec, spool: { folder, modelId, thread: `bench ${traceId ?? variant}` } } };
}

async function peakGpuMemoryOf({ pid }: WorkerProcess, host: WorkerHost): Promise<number | null> {
  return pid === undefined ? null : ((await host.peakGpuMemoryBytes?.(pid)) ?? null);
}

function identityOf({ model, threads, device = 'cpu' }: BenchRequest, { variant }: NamedModel): SutIdentity {
  return {
    model,
    variant,
    device,
    provider: PROVIDER_OF[device],
    threads: threads === 0 ? null : threads,
  };
}
