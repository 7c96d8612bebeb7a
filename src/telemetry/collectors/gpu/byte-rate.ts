import { secondsBetween } from '../../../core/clock.ts';

/** The rate of a byte counter between one reading and the next. */
export class ByteRate {
  #bytes: number | undefined;
  #atNs = 0n;

  /** Bytes per second since the reading before. Undefined for the first, and when the counter began again or wrapped. */
  next(bytes: number | undefined, nowNs: bigint): number | undefined {
    const before = this.#bytes;
    const seconds = secondsBetween(this.#atNs, nowNs);
    this.#bytes = bytes;
    this.#atNs = nowNs;
    if (before === undefined || bytes === undefined || bytes < before || seconds <= 0) return undefined;
    return (bytes - before) / seconds;
  }
}
