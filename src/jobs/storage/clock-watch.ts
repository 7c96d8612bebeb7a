import type { Clock } from '../../core/clock.ts';

/** Of a clock that is set by less, ages of days are as right as before. */
const JUMP_MS = 3600_000;
const DISTRUST_NS = 24n * 3600n * 1_000_000_000n;

/** Notices when the wall clock is set, by the monotonic clock beside it. */
export class ClockWatch {
  readonly #clock: Clock;
  #offsetMs: number;
  #distrustedUntilNs = 0n;
  #lastJumpMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offsetMs = this.#offset();
  }

  /** By how much it was set since the last call; undefined where it was not. */
  jumpSeconds(): number | undefined {
    const offset = this.#offset();
    const jumpMs = offset - this.#offsetMs;
    this.#offsetMs = offset;
    if (Math.abs(jumpMs) < JUMP_MS) return undefined;
    this.#lastJumpMs = jumpMs;
    this.#distrustedUntilNs = this.#clock.nowNs() + DISTRUST_NS;
    return this.lastJumpSeconds;
  }

  get lastJumpSeconds(): number {
    return Math.round(this.#lastJumpMs / 1e3);
  }

  /** Not for a day after it was set: somebody may have made a mistake, and ages are counted by it. */
  isTrusted(): boolean {
    return this.#clock.nowNs() >= this.#distrustedUntilNs;
  }

  #offset(): number {
    return this.#clock.wallMs() - Number(this.#clock.nowNs() / 1_000_000n);
  }
}
