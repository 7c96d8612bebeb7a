/** Numbers of up to 53 bits as bytes, seven bits each, lowest first; the top bit says that more follow (LEB128). */
export class ByteWriter {
  #bytes = new Uint8Array(1 << 12);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A copy of what was written. */
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  /** @param value  a whole number from 0 to 2^53 - 1 */
  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length] = 0x80 | (rest & 0x7f);
      this.#length += 1;
      rest = rest < 2 ** 31 ? rest >>> 7 : Math.floor(rest / 128);
    }
    this.#bytes[this.#length] = rest;
    this.#length += 1;
  }

  /** @param value  a whole number whose absolute value is below 2^52 */
  signedVarint(value: number): void {
    this.varint(zigzag(value));
  }

  text(value: string): void {
    const encoded = Buffer.from(value, 'utf8');
    this.varint(encoded.length);
    this.raw(encoded);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** All first bytes of the float64 values, then all second bytes, and so on: alike bytes side by side compress better. */
  float64s(values: readonly number[]): void {
    const plain = new Uint8Array(Float64Array.from(values).buffer);
    this.#reserve(plain.length);
    for (let byte = 0; byte < 8; byte += 1) {
      for (let index = byte; index < plain.length; index += 8) {
        this.#bytes[this.#length] = plain[index] ?? 0;
        this.#length += 1;
      }
    }
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** 0, -1, 1, -2, 2 … → 0, 1, 2, 3, 4 …, so that small numbers of either sign take few bytes. */
export function zigzag(value: number): number {
  return value >= 0 ? 2 * value : -2 * value - 1;
}
