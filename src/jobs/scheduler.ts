import type { Profile } from '../config/profile.ts';
import { nextTime } from '../config/schedule.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Run } from '../store/runs.ts';
import type { HostInventory } from '../telemetry/inventory/host-inventory.ts';
import type { ModelChanges, ModelRegistry } from './model-registry.ts';
import { reasonsToRun } from './reason-to-run.ts';
import { changedParts, type RunBasis, type RunReason, readBasis } from './run-basis.ts';

export interface SchedulerDeps {
  readonly models: Pick<ModelRegistry, 'all' | 'get'>;
  readonly hardware?: Promise<HostInventory>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What a run of a profile would be made from now; `readBasis` unless given. */
  readonly basisOf?: typeof readBasis;
  /** Full runs of a model that are over or under way, the newest first. */
  readonly lastRuns: (model: string) => readonly Run[];
  /** Queues a full run, unless one is queued already. */
  readonly order: (model: string, reasons: readonly RunReason[], basis: RunBasis) => Promise<void>;
  /** From 0 to 1. */
  readonly random: () => number;
  /** How often files are looked at; 30 s unless given. */
  readonly lookEveryMs?: number;
}

const LOOK_EVERY_MS = 30_000;
/** A day has more than a timer can wait for on some systems, and clocks are set: long waits are made in pieces. */
const LONGEST_WAIT_MS = 3600_000;
/**
 * A clock that is set back by less lets times that have come not come again; by more it was corrected, and the times go by the new one, as
 * cron has it (cron(8) of Debian, "Daylight Saving Time and other time changes").
 */
const CORRECTION_MS = 3 * 3600_000;

/** Orders full runs: when they are due by the time table of a profile, and when something changed that they are made from. */
export class Scheduler {
  readonly #deps: SchedulerDeps;
  readonly #timers = new Set<NodeJS.Timeout>();
  /** By model: what its next run by the time table waits for. */
  readonly #plans = new Map<string, NodeJS.Timeout>();
  readonly #seen = new Map<string, RunBasis>();
  #hardware: HostInventory | undefined;
  #stopped = false;
  #looking: Promise<void> = Promise.resolve();

  constructor(deps: SchedulerDeps) {
    this.#deps = deps;
    void deps.hardware?.then((inventory) => {
      this.#hardware = inventory;
    });
  }

  /** Orders what there is a reason for now, and goes on looking until `stop`. */
  start(): Promise<void> {
    return this.#inTurn(async () => {
      for (const profile of this.#deps.models.all) await this.#begin(profile);
      this.#lookLater();
    });
  }

  /** Goes by what is registered now: orders what there is a reason for, and follows no time table that is not registered any more. */
  takeUp({ added, changed, removed }: ModelChanges): Promise<void> {
    return this.#inTurn(async () => {
      for (const name of [...removed, ...changed]) {
        clearTimeout(this.#plans.get(name));
        this.#plans.delete(name);
        this.#seen.delete(name);
      }
      for (const name of [...added, ...changed]) {
        const profile = this.#deps.models.get(name);
        if (profile !== undefined && !this.#stopped) await this.#begin(profile);
      }
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#looking;
  }

  async #begin(profile: Profile): Promise<void> {
    await this.#orderIfNeeded(profile, await this.basisOf(profile));
    this.#planNext(profile, new Date(this.#deps.clock.wallMs()));
  }

  /** One thing after another, so that no run is ordered of what another step is about to forget. */
  #inTurn(step: () => Promise<void>): Promise<void> {
    const done = this.#looking.then(step);
    this.#looking = done.catch(() => {});
    return done;
  }

  #lookLater(): void {
    this.#after(this.#deps.lookEveryMs ?? LOOK_EVERY_MS, () => {
      this.#looking = this.#looking.then(() => this.#look()).finally(() => this.#lookLater());
    });
  }

  /** What a run of a profile would be made from now. */
  basisOf(profile: Profile): Promise<RunBasis> {
    return (this.#deps.basisOf ?? readBasis)(profile, this.#hardware);
  }

  async #look(): Promise<void> {
    for (const profile of this.#deps.models.all) {
      if (this.#stopped || !profile.schedule.onChange) continue;
      const basis = await this.basisOf(profile);
      // A file that is being written is another at every look; the run waits until it is the same twice.
      const before = this.#seen.get(profile.name);
      this.#seen.set(profile.name, basis);
      if (before !== undefined && changedParts(before, basis).length === 0)
        await this.#orderIfNeeded(profile, basis);
    }
  }

  async #orderIfNeeded(profile: Profile, basis: RunBasis): Promise<void> {
    const { name, schedule } = profile;
    // It may have been registered otherwise while its files were looked at.
    if (this.#deps.models.get(name) !== profile) return;
    const reasons = reasonsToRun(this.#deps.lastRuns(name), basis).filter(
      (reason) => schedule.onChange || reason === 'first' || reason === 'interrupted',
    );
    if (reasons.length > 0) await this.#deps.order(name, reasons, basis);
  }

  #planNext(profile: Profile, after: Date): void {
    const due = nextTime(profile.schedule, after);
    if (due === undefined) return;
    const putOffMs = this.#deps.random() * profile.schedule.jitterSeconds * 1e3;
    this.#deps.logger.info('next scheduled run', {
      model: profile.name,
      due: new Date(due.getTime() + putOffMs).toISOString(),
    });
    const planAgain = () => this.#planNext(profile, new Date(this.#deps.clock.wallMs()));
    this.#waitUntil(profile.name, due.getTime() + putOffMs, planAgain, async () => {
      if (this.#deps.models.get(profile.name) !== profile) return;
      await this.#deps.order(profile.name, ['schedule'], await this.basisOf(profile));
      // What was missed while the host slept is not made up for.
      this.#planNext(profile, new Date(Math.max(due.getTime(), this.#deps.clock.wallMs())));
    });
  }

  /** @param planAgain called in place of the action where the clock was set back so far that another time may come before */
  #waitUntil(model: string, wallMs: number, planAgain: () => void, action: () => Promise<void>): void {
    const leftMs = wallMs - this.#deps.clock.wallMs();
    if (leftMs <= 0) {
      this.#looking = this.#looking.then(action);
      return;
    }
    const waitMs = Math.min(leftMs, LONGEST_WAIT_MS);
    const timer = this.#after(waitMs, () => {
      const setBackMs = wallMs - this.#deps.clock.wallMs() - (leftMs - waitMs);
      if (setBackMs > CORRECTION_MS) planAgain();
      else this.#waitUntil(model, wallMs, planAgain, action);
    });
    if (timer !== undefined) this.#plans.set(model, timer);
  }

  #after(ms: number, action: () => void): NodeJS.Timeout | undefined {
    if (this.#stopped) return undefined;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, ms);
    timer.unref();
    this.#timers.add(timer);
    return timer;
  }
}
