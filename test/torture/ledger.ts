import { createHash } from 'node:crypto';
import { isEnded, type RunState } from '../../src/core/run-terms.ts';

/** A run as the database has it, or as the API showed it. */
export interface SeenRun {
  readonly id: string;
  readonly state: RunState;
  /** Digest of the result; absent where it has none, or the answer left it out. */
  readonly resultDigest?: string;
  /** The order that it came from, where this program made it. */
  readonly tag?: string;
}

/** What a client of the daemon was told, and what must therefore be so for ever after. */
export class Ledger {
  readonly #runs = new Map<string, SeenRun>();
  /** What was answered, by the orders' tags. */
  readonly #accepted = new Map<string, string>();
  readonly #deleted = new Set<string>();
  /** A deletion was asked for, and the answer never came. */
  readonly #perhapsDeleted = new Set<string>();

  get succeeded(): number {
    return [...this.#runs.values()].filter(({ state }) => state === 'succeeded').length;
  }

  accepted(tag: string, id: string): string[] {
    const before = this.#accepted.get(tag);
    this.#accepted.set(tag, id);
    // A key is forgotten together with its run, and the same order is then a new one.
    return before === undefined || before === id || this.#mayBeDeleted(before)
      ? []
      : [`order ${tag} was accepted as ${before} and then as ${id}`];
  }

  deleting(id: string): void {
    this.#perhapsDeleted.add(id);
  }

  deleted(id: string): void {
    this.#deleted.add(id);
  }

  /** Says what is wrong with a run, given what was seen before, and remembers it. */
  see(run: SeenRun): string[] {
    const before = this.#runs.get(run.id);
    const wrong: string[] = [];
    if (this.#deleted.has(run.id)) wrong.push(`${run.id} was deleted and is there again`);
    if (before !== undefined && isEnded(before) && before.state !== run.state)
      wrong.push(`${run.id} was ${before.state} and is ${run.state}`);
    if (
      before?.resultDigest !== undefined &&
      run.resultDigest !== undefined &&
      before.resultDigest !== run.resultDigest
    )
      wrong.push(`the result of ${run.id} has changed`);
    this.#runs.set(run.id, { ...before, ...run });
    return wrong;
  }

  /** Says what is wrong with all runs that there are. */
  compare(runs: readonly SeenRun[]): string[] {
    const wrong = runs.flatMap((run) => this.see(run));
    const there = new Set(runs.map(({ id }) => id));
    const gone = (id: string) => !there.has(id) && !this.#mayBeDeleted(id);
    for (const { id, state } of this.#runs.values())
      if (gone(id)) wrong.push(`${id}, which was ${state}, is gone`);
    for (const [tag, id] of this.#accepted)
      if (gone(id)) wrong.push(`order ${tag} was accepted as ${id}, which is gone`);
    const byTag = new Map<string, string>();
    for (const { id, tag } of runs) {
      if (tag === undefined) continue;
      const other = byTag.get(tag);
      if (other !== undefined) wrong.push(`order ${tag} was carried out twice, as ${other} and ${id}`);
      byTag.set(tag, id);
    }
    return wrong;
  }

  #mayBeDeleted(id: string): boolean {
    return this.#deleted.has(id) || this.#perhapsDeleted.has(id);
  }
}

export function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
