import type { BegunPhase, PhaseSpan } from '../../core/phase.ts';
import type { LiveSystem } from '../live-system.ts';

/** A run that is under way. */
export interface LiveRun {
  readonly id: string;
  readonly model: string;
}

/** What somebody who watches the work is told. */
export interface WorkListener {
  phaseEnded?(span: PhaseSpan): void;
  systemStarted?(system: LiveSystem): void;
}

/** A span of time, on the clock of `Clock.nowNs`. */
interface Span {
  readonly startNs: bigint;
  readonly endNs: bigint;
}

/** How many captures are remembered; a benchmark asks about those since it began. */
const MOST_CAPTURES = 1_000;

/**
 * What the daemon works at, for those who look on while it does: the run, its phases, the systems under test that live. And
 * the other way round, when somebody looked on so closely that it disturbed.
 */
export class LiveWork {
  readonly #phases = new Map<string, BegunPhase>();
  readonly #systems = new Set<LiveSystem>();
  readonly #listeners = new Set<WorkListener>();
  readonly #captures: Span[] = [];
  #openCapture: { readonly startNs: bigint } | undefined;
  #run: LiveRun | undefined;

  get run(): LiveRun | undefined {
    return this.#run;
  }

  /** Those that have begun and not ended, in the order in which they began. */
  get phases(): readonly BegunPhase[] {
    return [...this.#phases.values()];
  }

  get systems(): readonly LiveSystem[] {
    return [...this.#systems];
  }

  runStarted(run: LiveRun): void {
    this.#run = run;
  }

  /** A phase that never ended did so with its run. */
  runEnded(): void {
    this.#run = undefined;
    this.#phases.clear();
  }

  phaseBegan(begun: BegunPhase): void {
    this.#phases.set(keyOf(begun), begun);
  }

  phaseEnded(span: PhaseSpan): void {
    this.#phases.delete(keyOf(span));
    for (const listener of this.#listeners) listener.phaseEnded?.(span);
  }

  /** Knows the system until it has ended. */
  systemStarted(system: LiveSystem): void {
    this.#systems.add(system);
    void system.exited.then(() => this.#systems.delete(system));
    for (const listener of this.#listeners) listener.systemStarted?.(system);
  }

  /** Returns the function that ends it. */
  listen(listener: WorkListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** From now on, until the function that comes back is called, systems are traced. */
  beginCapture(nowNs: () => bigint): () => void {
    const open = { startNs: nowNs() };
    this.#openCapture = open;
    return () => {
      this.#openCapture = undefined;
      this.#captures.push({ ...open, endNs: nowNs() });
      if (this.#captures.length > MOST_CAPTURES) this.#captures.shift();
    };
  }

  /** Whether systems were traced at some time between the two. */
  wasCaptured(startNs: bigint, endNs: bigint): boolean {
    if (this.#openCapture !== undefined && this.#openCapture.startNs <= endNs) return true;
    return this.#captures.some((capture) => capture.startNs <= endNs && capture.endNs >= startNs);
  }
}

function keyOf({ phase, subject, startNs }: BegunPhase): string {
  return `${phase} ${subject ?? ''} ${startNs}`;
}
