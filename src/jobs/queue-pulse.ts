import type { Clock } from '../core/clock.ts';

/** What a queue does between two runs takes seconds; files on a slow disk may take minutes. */
const STILL_AFTER_NS = 600_000_000_000n;

/** Tells a queue that goes on from one that has come to a halt by a fault in it. */
export class QueuePulse {
  readonly #clock: Clock;
  #lastNs: bigint;
  /** What it waits for on purpose, such as room on the disk or the end of a run. */
  #waits = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastNs = clock.nowNs();
  }

  /** It went a step further. */
  beat(): void {
    this.#lastNs = this.#clock.nowNs();
  }

  /** It waits for something that may take any time. */
  async during<T>(waiting: Promise<T> | undefined): Promise<T | undefined> {
    this.#waits += 1;
    try {
      return await waiting;
    } finally {
      this.#waits -= 1;
      this.beat();
    }
  }

  /** Whether it has not gone a step further for ten minutes, although it waits for nothing. */
  isStill(): boolean {
    return this.#waits === 0 && this.#clock.nowNs() - this.#lastNs > STILL_AFTER_NS;
  }
}
