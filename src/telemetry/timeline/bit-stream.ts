import { MalformedBytesError } from './byte-reader.ts';

/** Bits in the order they come, the first in the highest place of a byte. */
export class BitWriter {
  #bytes = new Uint8Array(256);
  #length = 0;
  #pending = 0;
  #pendingBits = 0;

  /** @param value  a whole number below 2^bits; @param bits  0 to 53 */
  write(value: number, bits: number): void {
    let rest = bits;
    while (rest > 16) {
      rest -= 16;
      this.#writeShort(Math.floor(value / 2 ** rest) % 0x10000, 16);
    }
    this.#writeShort(value % 2 ** rest, rest);
  }

  /** What was written, filled up with zeros to a whole byte. */
  bytes(): Uint8Array {
    if (this.#pendingBits > 0) this.#writeShort(0, 8 - this.#pendingBits);
    return this.#bytes.slice(0, this.#length);
  }

  #writeShort(value: number, bits: number): void {
    this.#pending = (this.#pending << bits) | value;
    this.#pendingBits += bits;
    while (this.#pendingBits >= 8) {
      this.#pendingBits -= 8;
      if (this.#length === this.#bytes.length) {
        const larger = new Uint8Array(2 * this.#length);
        larger.set(this.#bytes);
        this.#bytes = larger;
      }
      this.#bytes[this.#length] = (this.#pending >>> this.#pendingBits) & 0xff;
      this.#length += 1;
    }
    this.#pending &= 0xff;
  }
}

/** Reads what `BitWriter` wrote. Throws `MalformedBytesError` past the end. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #bit = 0;
  readonly #end: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = 8 * bytes.length;
  }

  read(bits: number): number {
    if (this.#bit + bits > this.#end) throw new MalformedBytesError('it ends within a value');
    let value = 0;
    let missing = bits;
    while (missing > 0) {
      const available = 8 - (this.#bit & 7);
      const taken = Math.min(available, missing);
      const byte = this.#bytes[this.#bit >>> 3] ?? 0;
      value = value * 2 ** taken + ((byte >>> (available - taken)) & ((1 << taken) - 1));
      this.#bit += taken;
      missing -= taken;
    }
    return value;
  }

  /** The number of ones before the next zero, which is read too, or `most` if there are so many: then no zero follows. */
  ones(most: number): number {
    let count = 0;
    while (count < most) {
      if (this.#bit >= this.#end) throw new MalformedBytesError('it ends within a value');
      const byte = this.#bytes[this.#bit >>> 3] ?? 0;
      const isOne = (byte >>> (7 - (this.#bit & 7))) & 1;
      this.#bit += 1;
      if (isOne === 0) return count;
      count += 1;
    }
    return count;
  }
}
