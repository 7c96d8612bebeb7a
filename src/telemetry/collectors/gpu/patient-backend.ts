import type { Clock } from '../../../core/clock.ts';
import { err, type Result } from '../../../core/result.ts';
import type { Host } from '../collector.ts';
import type { GpuBackend, GpuProblem } from './gpu-backend.ts';
import type { GpusReading } from './gpu-reading.ts';

const FIRST_PAUSE_NS = 1_000_000_000n;
const LONGEST_PAUSE_NS = 60_000_000_000n;

/**
 * Asks a backend that failed again only after a pause, which doubles from a second to a minute; one that is absent after a
 * minute, as a driver may be installed or a GPU plugged in later. Meanwhile its problem stands.
 */
export class PatientBackend {
  readonly #backend: GpuBackend;
  readonly #clock: Clock;
  #problem: GpuProblem | undefined;
  #askAgainAtNs = 0n;
  #pauseNs = FIRST_PAUSE_NS;
  #lastSuccessNs: bigint | undefined;

  constructor(backend: GpuBackend, clock: Clock) {
    this.#backend = backend;
    this.#clock = clock;
  }

  get name(): GpuBackend['name'] {
    return this.#backend.name;
  }

  read(host: Host, watchedPids: readonly number[]): Result<GpusReading, GpuProblem> {
    const nowNs = this.#clock.nowNs();
    if (this.#problem !== undefined && nowNs < this.#askAgainAtNs) return err(this.#problem);
    const outcome = this.#backend.read(host, watchedPids);
    if (outcome.ok) {
      this.#problem = undefined;
      this.#pauseNs = FIRST_PAUSE_NS;
      this.#lastSuccessNs = nowNs;
    } else if (outcome.error.isStarting === undefined) {
      this.#problem = outcome.error;
      this.#askAgainAtNs = nowNs + (outcome.error.kind === 'absent' ? LONGEST_PAUSE_NS : this.#pauseNs);
      this.#pauseNs = this.#pauseNs * 2n < LONGEST_PAUSE_NS ? this.#pauseNs * 2n : LONGEST_PAUSE_NS;
    }
    return outcome;
  }

  /** Whether it gave a reading less than so long ago. */
  workedWithin(durationNs: bigint): boolean {
    return this.#lastSuccessNs !== undefined && this.#clock.nowNs() - this.#lastSuccessNs < durationNs;
  }

  close(): void {
    this.#backend.close();
  }
}
