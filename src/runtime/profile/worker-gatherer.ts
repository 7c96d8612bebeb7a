import type { WorkerColumns } from './profile-columns.ts';

const QUOTE = 0x22;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const LETTER_N = 0x6e;
const SUB_THREADS = Buffer.from('"sub_threads"');

/**
 * Reads from `thread_scheduling_stats` which threads of the pool did blocks of an operator's work:
 * `{"main_thread": {…}, "sub_threads": {"139825344673472": {"num_run": 2, "core": 1}, …}}`. When they did it is not told.
 * Source: ThreadPoolProfiler in onnxruntime/core/common/threadpool.cc.
 */
export class WorkerGatherer {
  #count = 0;
  #events = new Uint32Array(256);
  #workers = new Uint32Array(256);
  #blocks = new Uint32Array(256);
  readonly #threads: string[] = [];

  add(event: number, bytes: Buffer, from: number, to: number): void {
    const found = bytes.subarray(from, to).indexOf(SUB_THREADS);
    if (found < 0) return;
    let i = from + found + SUB_THREADS.length;
    while (i < to && bytes[i] !== OPEN_OBJECT) i++;
    for (let number = 0; ; number++) {
      do i++;
      while (i < to && bytes[i] !== QUOTE && bytes[i] !== CLOSE_OBJECT);
      if (i >= to || bytes[i] === CLOSE_OBJECT) return;
      const nameFrom = i + 1;
      i = bytes.indexOf(QUOTE, nameFrom);
      const nameTo = i;
      const blocks = digitsBehind(bytes, nameTo, to);
      if (blocks > 0) this.#push(event, this.#workerOf(number, bytes, nameFrom, nameTo), blocks);
      while (i < to && bytes[i] !== CLOSE_OBJECT) i++;
    }
  }

  finish(): WorkerColumns {
    const count = this.#count;
    return {
      count,
      events: this.#events.subarray(0, count),
      workers: this.#workers.subarray(0, count),
      blocks: this.#blocks.subarray(0, count),
      threads: this.#threads,
    };
  }

  /** The runtime lists its threads in the same order each time, so the place in the list is a good guess. */
  #workerOf(guess: number, bytes: Buffer, from: number, to: number): number {
    const name = bytes.toString('latin1', from, to);
    if (this.#threads[guess] === name) return guess;
    const known = this.#threads.indexOf(name);
    return known >= 0 ? known : this.#threads.push(name) - 1;
  }

  #push(event: number, worker: number, blocks: number): void {
    if (this.#count === this.#events.length) {
      this.#events = doubled(this.#events);
      this.#workers = doubled(this.#workers);
      this.#blocks = doubled(this.#blocks);
    }
    this.#events[this.#count] = event;
    this.#workers[this.#count] = worker;
    this.#blocks[this.#count] = blocks;
    this.#count++;
  }
}

function doubled(old: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const column = new Uint32Array(old.length * 2);
  column.set(old);
  return column;
}

/** The number of `"num_run"` in the object behind a place; 0 where there is none. */
function digitsBehind(bytes: Buffer, at: number, to: number): number {
  for (let i = at; i < to && bytes[i] !== CLOSE_OBJECT; i++) {
    if (bytes[i] !== QUOTE || bytes[i + 1] !== LETTER_N) continue;
    i = bytes.indexOf(QUOTE, i + 1) + 1;
    while (i < to && !isDigit(bytes[i] as number)) i++;
    let value = 0;
    for (; i < to && isDigit(bytes[i] as number); i++) value = value * 10 + ((bytes[i] as number) - 0x30);
    return value;
  }
  return 0;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
