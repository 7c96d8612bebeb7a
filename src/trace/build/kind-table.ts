import type { EventKind } from '../trace.ts';

/** The kinds of a plane, which are added as they are met. */
export class KindTable {
  readonly #kinds: EventKind[] = [];

  get kinds(): readonly EventKind[] {
    return this.#kinds;
  }

  /** The kind's place. */
  add(kind: EventKind): number {
    return this.#kinds.push(kind) - 1;
  }
}
