import { type Problem, problem } from '../core/problem.ts';
import { err, type Result } from '../core/result.ts';
import type { SeriesQuery } from './series-task.ts';
import { runTask, type WorkerHost } from './worker-process.ts';

/** Readers at a time. They take processor time from what is being measured, so they are few. */
const MOST_READERS = 2;

/** Reads timelines for whoever asks the daemon, in worker processes. */
export class TimelineReaders {
  readonly #host: WorkerHost;
  #running = 0;

  constructor(host: WorkerHost) {
    this.#host = host;
  }

  /** A `SeriesView` as JSON. Problems: `too-many-readers`, and those of reading a timeline. */
  async read(file: string, query: SeriesQuery): Promise<Result<string, Problem>> {
    if (this.#running >= MOST_READERS) {
      return err(
        problem('too-many-readers', `${MOST_READERS} timelines are being read already`, {
          hint: 'try again in a moment',
        }),
      );
    }
    this.#running += 1;
    try {
      const read = await runTask(this.#host, { kind: 'series', file, ...query });
      return read.ok ? { ok: true, value: String(read.value) } : read;
    } finally {
      this.#running -= 1;
    }
  }
}
