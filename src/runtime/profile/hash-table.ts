/**
 * Numbers pairs of 32-bit hashes from 0 in the order in which they come. Two things of equal pairs are one: of fifty
 * thousand, that happens by chance once in ten thousand million tables.
 */
export class HashTable {
  #size = 0;
  #places = new Int32Array(1024).fill(-1);
  #hashes = new Int32Array(512);

  /** The number of a pair; that is how many there were, where it is new. */
  placeOf(hash1: number, hash2: number): number {
    const mask = this.#places.length - 1;
    let slot = (hash1 ^ (hash1 >>> 15)) & mask;
    for (;;) {
      const place = this.#places[slot] as number;
      if (place < 0) break;
      if (this.#hashes[2 * place] === hash1 && this.#hashes[2 * place + 1] === hash2) return place;
      slot = (slot + 1) & mask;
    }
    if (2 * (this.#size + 1) > this.#places.length || 2 * this.#size >= this.#hashes.length) {
      this.#grow();
      return this.placeOf(hash1, hash2);
    }
    this.#places[slot] = this.#size;
    this.#hashes[2 * this.#size] = hash1;
    this.#hashes[2 * this.#size + 1] = hash2;
    return this.#size++;
  }

  #grow(): void {
    const hashes = new Int32Array(this.#hashes.length * 2);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    const places = new Int32Array(this.#places.length * 2).fill(-1);
    const mask = places.length - 1;
    for (let place = 0; place < this.#size; place++) {
      const hash1 = hashes[2 * place] as number;
      let slot = (hash1 ^ (hash1 >>> 15)) & mask;
      while ((places[slot] as number) >= 0) slot = (slot + 1) & mask;
      places[slot] = place;
    }
    this.#places = places;
  }
}
