import type { Problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { AgentDeps } from './agent-deps.ts';
import { registeredModel } from './model-registry.ts';
import { type BenchOrder, mistakeIn } from './orders.ts';
import { type PlanView, planView } from './plan-view.ts';
import { type RunEta, runEta } from './run-eta.ts';
import type { RunView } from './run-view.ts';

/** What is to be expected of runs: of those that are not over, and of those that were not ordered yet. */
export class RunOutlook {
  readonly #deps: Pick<AgentDeps, 'store' | 'models' | 'clock'>;

  constructor(deps: Pick<AgentDeps, 'store' | 'models' | 'clock'>) {
    this.#deps = deps;
  }

  /** See `runEta`. */
  etaOf(run: Pick<RunView, 'id' | 'state'>): RunEta | undefined {
    const { store, models, clock } = this.#deps;
    return runEta(run, { store, models, nowMs: clock.wallMs() });
  }

  /** What an order would lead to, and how many runs come before it. Problems: `unknown-model`, `unknown-variant`, `unknown-suite`. */
  planOf({
    model,
    order,
  }: {
    readonly model: string;
    readonly order: BenchOrder;
  }): Result<PlanView & { readonly queueLength: number }, Problem> {
    const { store, models } = this.#deps;
    const registered = registeredModel(models, model);
    if (!registered.ok) return registered;
    const profile = registered.value;
    const mistake = mistakeIn(order, profile);
    if (mistake !== undefined) return err(mistake);
    return ok({ ...planView(profile, order, store), queueLength: store.unfinishedRuns().length });
  }
}
