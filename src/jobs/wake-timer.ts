import type { Clock } from '../core/clock.ts';

/** Clocks are set, and a day has more milliseconds than a timer can wait for: long waits are made in pieces. */
const LONGEST_WAIT_MS = 60_000;
/** What could not be done at its time, as on a full disk, is not tried again at once. */
const SHORTEST_WAIT_MS = 50;

/** Calls `onTime` about when the wall clock shows a time, or earlier: it is looked again every minute. Keeps no process alive. */
export class WakeTimer {
  readonly #clock: Clock;
  readonly #onTime: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock, onTime: () => void) {
    this.#clock = clock;
    this.#onTime = onTime;
  }

  /** Takes the place of the time that was set before. Undefined: never. */
  wakeAt(wallMs: number | undefined): void {
    this.stop();
    if (wallMs === undefined) return;
    const leftMs = wallMs - this.#clock.wallMs();
    this.#timer = setTimeout(this.#onTime, Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, leftMs)));
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
