import type { Clock } from '../../../../core/clock.ts';
import type { Host } from '../../collector.ts';
import type { GpuProcess } from '../gpu-reading.ts';
import { OwnProcesses } from '../own-processes.ts';
import { LineStream } from './line-stream.ts';
import { PROCESS_QUERY, parseProcessLine } from './parse-process-line.ts';

interface Seen {
  readonly gpuUuid: string;
  readonly process: GpuProcess;
  readonly atNs: bigint;
}

const RETRY_NS = 5_000_000_000n;

/**
 * The processes on all GPUs, by an nvidia-smi of its own that runs only while processes are watched. A GPU without processes
 * prints nothing, so the stream may be silent; who was not printed for a while has left the GPU.
 */
export class ProcessStream {
  readonly #command: string;
  readonly #clock: Clock;
  readonly #limits: { readonly killAfterMs: number; readonly freshMs: number };
  readonly #ownProcesses = new OwnProcesses();
  readonly #seen = new Map<string, Seen>();
  #stream: LineStream | undefined;
  #freshNs = 0n;
  #silentUntilNs = 0n;
  #retryAtNs: bigint | undefined;

  constructor(
    command: string,
    clock: Clock,
    limits: { readonly killAfterMs: number; readonly freshMs: number },
  ) {
    this.#command = command;
    this.#clock = clock;
    this.#limits = limits;
  }

  /**
   * Runs while there are processes to watch.
   * @param startUpNs  how long an nvidia-smi takes here until its first line: its silence before means nothing
   */
  follow(watchedPids: readonly number[], periodMs: number, startUpNs: bigint): void {
    if (watchedPids.length === 0) {
      this.stop();
      return;
    }
    this.#freshNs = BigInt(Math.round(Math.max(3 * periodMs, this.#limits.freshMs) * 1e6));
    const nowNs = this.#clock.nowNs();
    if (this.#stream !== undefined || (this.#retryAtNs !== undefined && nowNs < this.#retryAtNs)) return;
    this.#silentUntilNs = nowNs + 2n * startUpNs + this.#freshNs;
    const limits = { firstLineMs: 0, silenceMs: 0, killAfterMs: this.#limits.killAfterMs };
    this.#stream = new LineStream(
      this.#command,
      [`--query-compute-apps=${PROCESS_QUERY}`, '--format=csv,noheader,nounits', '-lms', `${periodMs}`],
      limits,
      {
        line: (text) => this.#receive(text),
        ended: () => {
          this.#stream = undefined;
          this.#retryAtNs = this.#clock.nowNs() + RETRY_NS;
        },
      },
      { mayBeSilent: true },
    );
  }

  /** The watched processes on a GPU; undefined while that cannot be told. */
  of(gpuUuid: string, host: Host, watchedPids: readonly number[]): readonly GpuProcess[] | undefined {
    if (watchedPids.length === 0) return [];
    const nowNs = this.#clock.nowNs();
    if (this.#stream === undefined || nowNs < this.#silentUntilNs) return undefined;
    const listed = [...this.#seen.values()].flatMap((seen) =>
      seen.gpuUuid === gpuUuid && nowNs - seen.atNs <= this.#freshNs ? [seen.process] : [],
    );
    return this.#ownProcesses.find(listed, host, watchedPids);
  }

  stop(): void {
    this.#stream?.stop();
    this.#stream = undefined;
    this.#retryAtNs = undefined;
    this.#seen.clear();
  }

  #receive(text: string): boolean {
    const line = parseProcessLine(text);
    if (line === undefined) return false;
    const atNs = this.#clock.nowNs();
    for (const [key, seen] of this.#seen) if (atNs - seen.atNs > this.#freshNs) this.#seen.delete(key);
    this.#seen.set(`${line.gpuUuid} ${line.process.pid}`, { ...line, atNs });
    return true;
  }
}
