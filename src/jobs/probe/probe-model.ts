import { roundSpec } from '../../benchmark/plan-rounds.ts';
import { collectRound } from '../../benchmark/round-result.ts';
import { type BenchSettings, benchSettings } from '../../benchmark/settings.ts';
import { answerOf, type NamedSut } from '../../benchmark/sut-handle.ts';
import type { Profile } from '../../config/profile.ts';
import type { Suite } from '../../config/suite.ts';
import { PROFILE_SUITE } from '../../config/suite.ts';
import type { Clock } from '../../core/clock.ts';
import { attemptAsync, type Problem, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import type { Store } from '../../store/store.ts';
import { firstMeasurement, lockNow, madeVariants } from '../one-measurement.ts';
import { suitesOf } from '../orders.ts';
import { unwrap } from '../unwrap.ts';
import { type NamedModel, startVariant } from '../variant-sut.ts';
import type { WorkerHost } from '../worker-process.ts';

/** What a probe found out. Times are seconds. */
export interface ProbeFigures {
  readonly scenario: string;
  readonly loadSeconds: number;
  readonly queries: number;
  readonly throughput: number;
  /** None where no query was completed. */
  readonly latencySeconds: { readonly p50: number; readonly p90: number; readonly p99: number } | undefined;
}

export interface ProbeRequest {
  readonly profile: Profile;
  /** fp32, or one whose file the last run left. */
  readonly variant: string;
  /** Its first measurement is made; a short single-stream unless given. */
  readonly suite?: string;
  /** All of it: loading, warming up, measuring. */
  readonly budgetSeconds: number;
}

export interface ProbeDeps {
  readonly store: Pick<Store, 'listRuns'>;
  readonly host: WorkerHost;
  readonly clock: Clock;
}

const PROBE_SECONDS = 1;
const SHORTEST_SECONDS = 0.2;
const WARM_UP = { windowDurationNs: 5e7, maxDurationNs: 3e8, seed: 1 };
/** From the start of a process to a session, and the warm-up. */
const LOADING_SECONDS = 1.5;
/** For the answer, once time is up. */
const ANSWER_SECONDS = 0.2;

/**
 * Measures a model for as long as a scrape waits, and keeps nothing of it. Nobody is waited for. Problems: `probe-too-long` where
 * what the suite asks for does not fit, `variant-not-made`, `bench-locked` while another benchmark runs on the host, `probe-timed-out`,
 * and those of the model.
 */
export function probeModel(
  { profile, variant, suite, budgetSeconds }: ProbeRequest,
  { store, host, clock }: ProbeDeps,
): Promise<Result<ProbeFigures, Problem>> {
  return attemptAsync(async () => {
    const deadline = AbortSignal.timeout(Math.max(0, budgetSeconds - ANSWER_SECONDS) * 1e3);
    const model = variantOf(profile, variant, store);
    const { request, settings } = await requestOf(profile, model, suite, budgetSeconds);
    const lock = await lockNow(request.device ?? 'cpu', clock);
    const { sut } = startVariant(request, model, host);
    try {
      return await measure(sut, settings, request.batch ?? 1, deadline, clock);
    } catch (error) {
      if (!deadline.aborted) throw error;
      throw new ProblemError(
        problem('probe-timed-out', `the model was not measured within ${budgetSeconds} s`, {
          hint: 'raise scrape_timeout',
        }),
      );
    } finally {
      // Whoever scrapes does not wait for the end of a process; the next benchmark does.
      void sut.handle.close().finally(() => lock?.release());
    }
  });
}

async function measure(
  sut: NamedSut,
  settings: BenchSettings,
  samplesPerRun: number,
  signal: AbortSignal,
  clock: Clock,
): Promise<ProbeFigures> {
  const patience = { graceSeconds: settings.graceSeconds, signal };
  const askedNs = clock.nowNs();
  unwrap(await answerOf(sut, () => sut.handle.load(), patience));
  const loadSeconds = Number(clock.nowNs() - askedNs) / 1e9;
  const { queriesPerSecond } = unwrap(
    await answerOf(sut, (onAlive) => sut.handle.warmUp(WARM_UP, onAlive), patience),
  );
  const spec = roundSpec(settings, 0, false, { queriesPerSecond, baseQueriesPerSecond: queriesPerSecond });
  const chunks: Float64Array[] = [];
  const startNs = clock.nowNs();
  const totals = unwrap(
    await answerOf(
      sut,
      (onAlive) =>
        sut.handle.round(spec, (chunk) => {
          chunks.push(chunk);
          onAlive();
        }),
      patience,
    ),
  );
  const round = collectRound(spec, chunks, totals, { samplesPerRun, askedNs: startNs, process: 0 });
  const sorted = round.latencyNs.toSorted();
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) / 1e9;
  return {
    scenario: settings.scenario,
    loadSeconds,
    queries: sorted.length,
    throughput: round.durationNs > 0 ? round.samples / (round.durationNs / 1e9) : 0,
    latencySeconds: sorted.length === 0 ? undefined : { p50: at(0.5), p90: at(0.9), p99: at(0.99) },
  };
}

async function requestOf(
  profile: Profile,
  model: NamedModel,
  suiteName: string | undefined,
  budgetSeconds: number,
) {
  const suite = oneMeasurement(profile, suiteName, budgetSeconds);
  const { measurement, requestOf } = await firstMeasurement(profile, suite);
  const settings = unwrap(benchSettings({ ...measurement.settings, rounds: 1, processes: 1, minQueries: 1 }));
  if (measurement.trace !== undefined || settings.minDurationSeconds + LOADING_SECONDS > budgetSeconds) {
    throw new ProblemError(
      problem(
        'probe-too-long',
        `the suite '${suite.name}' takes longer than the ${budgetSeconds} s of a scrape`,
        { hint: 'probe without "suite", or with one whose first measurement is shorter' },
      ),
    );
  }
  return { request: requestOf([model], settings), settings };
}

function oneMeasurement(profile: Profile, name: string | undefined, budgetSeconds: number): Suite {
  const found = name === undefined ? undefined : suitesOf(profile).find((suite) => suite.name === name);
  const [first] = found?.measurements ?? [];
  if (found !== undefined && first !== undefined) return { ...found, measurements: [first] };
  const durationSeconds = Math.max(
    SHORTEST_SECONDS,
    Math.min(PROBE_SECONDS, budgetSeconds - 2 * LOADING_SECONDS),
  );
  return {
    name: PROFILE_SUITE,
    measurements: [{ name: 'probe', scenario: 'single-stream', preset: 'quick', durationSeconds }],
    limits: {},
  };
}

function variantOf(profile: Profile, variant: string, store: Pick<Store, 'listRuns'>): NamedModel {
  const made = madeVariants(profile, store).find((model) => model.variant === variant);
  if (made !== undefined) return made;
  throw new ProblemError(
    problem('variant-not-made', `the variant '${variant}' of '${profile.name}' was not made yet`, {
      hint: 'it is there after the first full run',
    }),
  );
}
