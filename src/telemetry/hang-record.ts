import type { CollectorName } from './collectors/all.ts';

export interface HangLimits {
  /** A collector that hung so often in a row is left out for a while. */
  readonly hangsInRow: number;
  /** The first such while; it doubles with every further hang. */
  readonly firstLeaveOutMs: number;
  readonly maxLeaveOutMs: number;
}

/** Which collectors hung, and which of them a new process should go without. */
export class HangRecord {
  readonly #limits: HangLimits;
  readonly #hangs = new Map<CollectorName, { readonly inRow: number; readonly leftOutUntilMs: number }>();

  constructor(limits: HangLimits) {
    this.#limits = limits;
  }

  hung(collector: CollectorName, nowMs: number): void {
    const { hangsInRow, firstLeaveOutMs, maxLeaveOutMs } = this.#limits;
    const inRow = (this.#hangs.get(collector)?.inRow ?? 0) + 1;
    const pauseMs = Math.min(firstLeaveOutMs * 2 ** Math.max(0, inRow - hangsInRow), maxLeaveOutMs);
    this.#hangs.set(collector, { inRow, leftOutUntilMs: inRow < hangsInRow ? nowMs : nowMs + pauseMs });
  }

  /** It came back: what it did before is forgotten. */
  returned(collector: CollectorName): void {
    this.#hangs.delete(collector);
  }

  /** How often in a row a collector has hung. */
  hangsOf(collector: CollectorName): number {
    return this.#hangs.get(collector)?.inRow ?? 0;
  }

  isLeftOut(collector: CollectorName, nowMs: number): boolean {
    return (this.#hangs.get(collector)?.leftOutUntilMs ?? nowMs) > nowMs;
  }

  /** When the next collector that is left out may be tried again; undefined where none is. */
  nextReturnMs(nowMs: number): number | undefined {
    const later = [...this.#hangs.values()].map((hang) => hang.leftOutUntilMs).filter((at) => at > nowMs);
    return later.length === 0 ? undefined : Math.min(...later);
  }
}
