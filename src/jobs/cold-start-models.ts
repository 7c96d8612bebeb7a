import {
  type ColdStartRecord,
  type ColdStartResult,
  summarizeColdStarts,
} from '../benchmark/cold-start/cold-start-result.ts';
import { interleaveRounds } from '../benchmark/interleave.ts';
import { secondsBetween } from '../core/clock.ts';
import type { Device } from '../core/device.ts';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import type { CarriedState } from '../data/carried-state.ts';
import { PROVIDER_OF } from '../runtime/nodes-by-provider.ts';
import { type HostWait, lockHost } from './bench-variants.ts';
import type { ColdStartAnswer } from './measure-cold-start.ts';
import { defaultMemoryLimitBytes } from './memory-limit.ts';
import type { TaskData } from './task-data.ts';
import type { NamedModel } from './variant-sut.ts';
import { runTask, type WorkerHost } from './worker-process.ts';

export interface ColdStartRequest {
  readonly model: string;
  readonly variants: readonly NamedModel[];
  readonly data: TaskData;
  /** Threads inside an operator; 0 for every core. */
  readonly threads: number;
  readonly device: Device;
  readonly states?: readonly CarriedState[];
  /** Starts of each model. */
  readonly repetitions: number;
  /** How long a start may run until its speed is steady. */
  readonly maxRunSeconds: number;
  readonly seed: number;
}

export interface ColdStartDeps extends HostWait {
  readonly host: WorkerHost;
  readonly onProgress?: (variant: string, completedStarts: number, totalStarts: number) => void;
}

const WINDOW_NS = 0.25e9;

/**
 * Starts models again and again, each time in a fresh process, in interleaved repetitions. A model that fails loses its further
 * turns; the others go on. Nobody else benchmarks on the host meanwhile.
 * Throws `ProblemError`: `bench-locked` where another benchmark does not end in time, `cancelled` while waiting.
 */
export async function coldStartModels(
  request: ColdStartRequest,
  deps: ColdStartDeps,
): Promise<readonly ColdStartResult[]> {
  const lock = await lockHost(request, deps);
  try {
    return await startByTurns(request, deps);
  } finally {
    lock?.release();
  }
}

async function startByTurns(request: ColdStartRequest, deps: ColdStartDeps) {
  const { variants, repetitions, seed, model, device, threads } = request;
  const models = variants.map((variant) => ({
    variant,
    identity: {
      model,
      variant: variant.variant,
      device,
      provider: PROVIDER_OF[device],
      threads: threads === 0 ? null : threads,
    },
    records: [] as ColdStartRecord[],
    failure: null as Problem | null,
  }));
  const slots = interleaveRounds(variants.length, repetitions, seed);
  for (const [turn, slot] of slots.entries()) {
    const model = models[slot.variant] as (typeof models)[number];
    deps.onProgress?.(model.variant.variant, turn, slots.length);
    if (model.failure !== null) continue;
    const answer = await start(model.variant, slot.round, request, deps);
    if (answer.ok) model.records.push(answer.value);
    else model.failure = answer.error;
  }
  deps.onProgress?.(variants.at(-1)?.variant ?? '', slots.length, slots.length);
  return summarizeColdStarts(models);
}

async function start(
  { path }: NamedModel,
  repetition: number,
  { data, threads, device, states, maxRunSeconds }: ColdStartRequest,
  { host, clock, signal }: ColdStartDeps,
): Promise<Result<ColdStartRecord, Problem>> {
  const maxRssBytes = defaultMemoryLimitBytes();
  const startedNs = clock.nowNs();
  const answer = await runTask(
    host,
    {
      kind: 'cold-start',
      modelPath: path,
      data,
      threads,
      device,
      windowDurationNs: WINDOW_NS,
      maxDurationNs: maxRunSeconds * 1e9,
      ...(states === undefined ? {} : { states }),
    },
    {
      ...(signal === undefined ? {} : { signal }),
      ...(maxRssBytes === undefined ? {} : { maxRssBytes }),
    },
  );
  if (!answer.ok) return answer;
  const { takenNs, ...told } = answer.value as ColdStartAnswer;
  const processSeconds = secondsBetween(startedNs, takenNs);
  const { runtimeSeconds, modelSeconds, firstInferenceSeconds } = told;
  const firstAnswerSeconds = processSeconds + runtimeSeconds + modelSeconds + firstInferenceSeconds;
  return ok({ ...told, repetition, processSeconds, firstAnswerSeconds });
}
