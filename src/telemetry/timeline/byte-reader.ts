/** Bytes that are not what a writer of this format leaves. The reader of the file names file and offset. */
export class MalformedBytesError extends Error {}

/** Reads what `ByteWriter` wrote. Every method throws `MalformedBytesError` where the bytes end too early. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  byte(): number {
    if (this.#at >= this.#end) throw new MalformedBytesError('it ends within a value');
    const value = this.#bytes[this.#at] ?? 0;
    this.#at += 1;
    return value;
  }

  varint(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    let unit = 128;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * unit;
      if (value > Number.MAX_SAFE_INTEGER) throw new MalformedBytesError('a number has more than 53 bits');
      if (byte < 0x80) return value;
      unit *= 128;
    }
  }

  signedVarint(): number {
    return unzigzag(this.varint());
  }

  text(): string {
    return Buffer.from(this.raw(this.varint())).toString('utf8');
  }

  /** A view, not a copy. */
  raw(length: number): Uint8Array {
    this.#require(length);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  float64s(count: number): number[] {
    const transposed = this.raw(8 * count);
    const plain = new Uint8Array(8 * count);
    for (let byte = 0; byte < 8; byte += 1) {
      for (let index = 0; index < count; index += 1) {
        plain[8 * index + byte] = transposed[byte * count + index] ?? 0;
      }
    }
    return [...new Float64Array(plain.buffer)];
  }

  /** How many of something follow, each of which takes a byte or more. */
  count(): number {
    const count = this.varint();
    this.#require(count);
    return count;
  }

  #require(length: number): void {
    if (length > this.remaining) throw new MalformedBytesError('it ends within a value');
  }
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
