import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { secondsBetween } from '../core/clock.ts';
import type { Device } from '../core/device.ts';
import { attemptAsync } from '../core/problem.ts';
import { writeModel } from '../onnx/write-model.ts';
import type { OpProfile, ProfiledRun } from '../runtime/op-profile.ts';
import { openSession } from '../runtime/session.ts';
import { PROBE_INPUT, type ProbeModel } from './probe-models.ts';
import { unwrap } from './unwrap.ts';

/** How fast an operator of a probe was. */
export interface ProbeTiming {
  /** Of one call, in the fastest run. */
  readonly seconds: number;
  /** Whether the three fastest runs lie within 5 % of one another, so that the fastest is no accident. */
  readonly steady: boolean;
}

export interface ProbeSettings {
  readonly device: Device;
  readonly threads: number;
  /** For the model and the profile; a new file each. */
  readonly folder: string;
  readonly clock: Clock;
}

/** Runs before these are for the memory that the runtime takes and the threads that it starts. */
const WARM_UP_RUNS = 2;
const LEAST_RUNS = 4;
const LEAST_SECONDS = 0.2;

/** A host that does not come to rest by then is measured as it is. */
const MOST_SECONDS = 1.5;
const FASTEST = 3;
const STEADY_RATIO = 1.05;

/** A profile's times are whole microseconds, cut off: half of one is missing on average. */
const CUT_OFF_NS = 500;

/**
 * Times the kernels of a probe with the runtime's own profile, which is what models are judged by too. Null where the runtime
 * has no kernel of that kind on the device: it refuses the model, or computes it elsewhere or in another type.
 * Throws `ProblemError`: `device-unavailable`, `profile-unreadable`.
 */
export async function timeProbe(
  { model, op, inputType }: ProbeModel,
  { device, threads, folder, clock }: ProbeSettings,
  provider: string,
): Promise<ProbeTiming | null> {
  const path = join(folder, 'probe.onnx');
  unwrap(writeModel(model, path, { externalData: 'inline', durable: false }));
  const profilePrefix = join(folder, 'profile-');
  const session = await openSession(path, { device, intraOpThreads: threads, profilePrefix });
  if (!session.ok) {
    if (session.error.kind === 'model-rejected-by-runtime') return null;
    return unwrap(session);
  }
  const { run, endProfile, close } = session.value;
  try {
    const feeds = { [PROBE_INPUT]: { type: 'float32', dims: [], data: Float32Array.of(1) } } as const;
    const ran = await attemptAsync(async () => {
      for (let runs = 0; runs < WARM_UP_RUNS; runs++) await run(feeds);
      await runUntilSteady(() => run(feeds), clock);
    });
    const profile = unwrap(await endProfile());
    if (!ran.ok) return null;
    return timingOf(profile, { op, inputType, provider });
  } finally {
    await close();
  }
}

/** By the times of whole runs: those of kernels are known when the profile has ended. */
async function runUntilSteady(run: () => Promise<unknown>, { nowNs }: Clock): Promise<void> {
  const startNs = nowNs();
  const seconds: number[] = [];
  for (let beganNs = startNs; ; ) {
    await run();
    const endNs = nowNs();
    seconds.push(secondsBetween(beganNs, endNs));
    beganNs = endNs;
    const elapsed = secondsBetween(startNs, endNs);
    if (seconds.length < LEAST_RUNS || elapsed < LEAST_SECONDS) continue;
    if (elapsed >= MOST_SECONDS || isSteady(seconds.sort((a, b) => a - b))) return;
  }
}

/** @param ascending times of runs */
function isSteady(ascending: readonly number[]): boolean {
  const [fastest, third] = [ascending[0], ascending[FASTEST - 1]];
  return fastest !== undefined && third !== undefined && third <= fastest * STEADY_RATIO;
}

type Wanted = Pick<ProbeModel, 'op' | 'inputType'> & { readonly provider: string };

/** Null where no call of the operator is as wanted. */
export function timingOf({ runs, dispatches }: OpProfile, wanted: Wanted): ProbeTiming | null {
  const callsPerRun = runs.map((run) => callsOf(run, wanted));
  const shaders = dispatches.filter(({ op }) => op === wanted.op);
  // What the host needs to hand a shader to the device is no time of the device.
  const meanNs =
    shaders.length === 0
      ? callsPerRun.map((calls) => meanOf(calls) + CUT_OFF_NS)
      : shadersByRun(shaders, runs.length).map((total, run) => total / (callsPerRun[run]?.length ?? 0));
  const measured = meanNs
    .filter((_, run) => run >= WARM_UP_RUNS && (callsPerRun[run]?.length ?? 0) > 0)
    .sort((a, b) => a - b);
  const [fastest] = measured;
  if (fastest === undefined) return null;
  return { seconds: fastest / 1e9, steady: isSteady(measured) };
}

function callsOf({ calls }: ProfiledRun, { op, inputType, provider }: Wanted): readonly number[] {
  return calls
    .filter((call) => call.op === op && call.provider === provider)
    .filter(({ inputShapes }) => inputShapes.startsWith(`[{"${inputType}":`))
    .map(({ durationNs }) => durationNs);
}

/** A profile does not tell which run a shader belongs to, but every run has as many. */
function shadersByRun(shaders: readonly { readonly durationNs: number }[], runs: number): readonly number[] {
  const perRun = shaders.length / runs;
  return Array.from({ length: runs }, (_, run) =>
    shaders
      .slice(Math.round(run * perRun), Math.round((run + 1) * perRun))
      .reduce((total, { durationNs }) => total + durationNs, 0),
  );
}

function meanOf(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
