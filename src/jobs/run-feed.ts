import type { Clock } from '../core/clock.ts';
import { isEnded } from '../core/run-terms.ts';
import type { RunView } from './run-view.ts';

/** One thing that happened to a run. */
export interface RunNews {
  /** Says where a follower was, to go on from there; of this life of the daemon only. */
  readonly id: string;
  /** `end`: its state is its last. */
  readonly kind: 'state' | 'progress' | 'end';
  readonly run: RunView;
}

/** What followers that lost their connection may have missed. Progress comes once a second. */
const MOST_KEPT = 256;
const PROGRESS_INTERVAL_MS = 1000;

/** Tells followers what happens to runs. */
export class RunFeed {
  readonly #clock: Clock;
  readonly #life: string;
  readonly #followers = new Set<(news: RunNews) => void>();
  #count = 0;
  #kept: RunNews[] = [];
  #lastProgress: { readonly phase: string; readonly atMs: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#life = clock.wallMs().toString(36);
  }

  /** The state of a run changed. */
  tell(run: RunView): void {
    this.#lastProgress = undefined;
    this.#publish(isEnded(run) ? 'end' : 'state', run);
  }

  /** A run came further. Told at most once a second, and when another phase begins. */
  tellProgress(run: RunView): void {
    const { phase = '' } = run.progress ?? {};
    const atMs = Number(this.#clock.nowNs() / 1_000_000n);
    const last = this.#lastProgress;
    if (last !== undefined && last.phase === phase && atMs - last.atMs < PROGRESS_INTERVAL_MS) return;
    this.#lastProgress = { phase, atMs };
    this.#publish('progress', run);
  }

  /**
   * Calls `listener` with what happens to a run. What there is to know already comes first: what was missed since `after`, the
   * last that a follower saw; without it, or where that is too long ago, the run as it is. Returns what ends it.
   */
  follow(run: RunView, after: string | undefined, listener: (news: RunNews) => void): () => void {
    for (const news of this.#missed(run, after)) listener(news);
    const follower = (news: RunNews) => {
      if (news.run.id === run.id) listener(news);
    };
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  #missed(run: RunView, after: string | undefined): readonly RunNews[] {
    const at = this.#kept.findIndex(({ id }) => id === after);
    if (at >= 0) return this.#kept.slice(at + 1).filter((news) => news.run.id === run.id);
    return [{ id: this.#idOf(this.#count), kind: isEnded(run) ? 'end' : 'state', run }];
  }

  #publish(kind: RunNews['kind'], run: RunView): void {
    this.#count += 1;
    const news: RunNews = { id: this.#idOf(this.#count), kind, run };
    this.#kept.push(news);
    if (this.#kept.length > MOST_KEPT) this.#kept = this.#kept.slice(-MOST_KEPT / 2);
    for (const follower of this.#followers) follower(news);
  }

  #idOf(count: number): string {
    return `${this.#life}-${count}`;
  }
}
