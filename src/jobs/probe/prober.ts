import type { Problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import { type ExportedProbe, type ProbeFailure, probeExposition } from '../../metrics/probe-exposition.ts';
import type { AgentDeps } from '../agent-deps.ts';
import { registeredModel } from '../model-registry.ts';
import { mistakeIn } from '../orders.ts';
import { FP32 } from '../pipeline.ts';
import { probeModel } from './probe-model.ts';

/** What a scraper asks for. */
export interface ProbeQuery {
  readonly model: string;
  readonly variant?: string;
  readonly suite?: string;
  /** How long the scraper waits. */
  readonly budgetSeconds: number;
}

export interface ProberDeps extends Pick<AgentDeps, 'models' | 'store' | 'workerEntry' | 'clock' | 'logger'> {
  readonly metrics: Pick<Metrics, 'workerStarted' | 'workerEnded'>;
  /** Whether a run is under way. */
  readonly isBusy: () => boolean;
}

const FAILURES: Readonly<Record<string, ProbeFailure>> = {
  'bench-locked': 'busy',
  'variant-not-made': 'not-made',
  'probe-too-long': 'too-long',
  'probe-timed-out': 'timed-out',
};

/** Measures models for scrapers, one at a time, and only while nothing else runs: a probe would disturb what is being measured. */
export class Prober {
  readonly #deps: ProberDeps;
  #isProbing = false;

  constructor(deps: ProberDeps) {
    this.#deps = deps;
  }

  /** The exposition of a probe, also of one that failed. Problems: `unknown-model`, `unknown-variant`, `unknown-suite`. */
  async probe(
    query: ProbeQuery,
  ): Promise<Result<{ readonly contentType: string; readonly body: string }, Problem>> {
    const { model, variant = FP32, suite } = query;
    const { models, clock } = this.#deps;
    const registered = registeredModel(models, model);
    if (!registered.ok) return registered;
    const profile = registered.value;
    const mistake = mistakeIn(
      { kind: 'bench', variants: [variant], ...(suite === undefined ? {} : { suite }) },
      profile,
    );
    if (mistake !== undefined) {
      const field = mistake.kind === 'unknown-variant' ? '/variant' : '/suite';
      return err({ ...mistake, place: { field } });
    }
    const startNs = clock.nowNs();
    const probed = await this.#probeAlone({ ...query, variant });
    const durationSeconds = Number(clock.nowNs() - startNs) / 1e9;
    return ok(await probeExposition({ durationSeconds, ...probed }));
  }

  async #probeAlone({
    model,
    variant,
    suite,
    budgetSeconds,
  }: ProbeQuery & { readonly variant: string }): Promise<Omit<ExportedProbe, 'durationSeconds'>> {
    const { models, store, clock, workerEntry, metrics, isBusy, logger } = this.#deps;
    const profile = models.get(model);
    if (profile === undefined || this.#isProbing || isBusy()) return { failure: 'busy' };
    this.#isProbing = true;
    try {
      const host = {
        entry: workerEntry,
        onSpawn: metrics.workerStarted.bind(metrics),
        onExit: metrics.workerEnded.bind(metrics),
      };
      const request = { profile, variant, budgetSeconds, ...(suite === undefined ? {} : { suite }) };
      const probed = await probeModel(request, { store, host, clock });
      // A run that began meanwhile disturbed it, and was disturbed for no longer than that.
      if (isBusy()) return { failure: 'busy' };
      if (probed.ok) return { figures: probed.value };
      const failure = FAILURES[probed.error.kind] ?? 'failed';
      if (failure === 'failed') logger.warn(`a probe failed: ${probed.error.message}`, { model, variant });
      return { failure };
    } finally {
      this.#isProbing = false;
    }
  }
}
