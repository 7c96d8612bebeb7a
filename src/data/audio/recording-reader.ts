import { ProblemError, problem } from '../../core/problem.ts';
import { openRecording, type Recording, reuseResampler } from './recording.ts';
import type { SampleRange } from './resample.ts';
import type { WavProblem } from './wav-header.ts';

/** About two seconds of speech; what is read ahead costs 128 KiB of samples from the disk. */
const READ_AHEAD_SAMPLES = 1 << 15;

/** Reads parts of many recordings with one open file: reading forward touches the disk once for thousands of samples. */
export class RecordingReader {
  readonly #sampleRateHz: number | undefined;
  readonly #findResampler = reuseResampler();
  #current: { readonly path: string; readonly recording: Recording } | undefined;
  #block: Float32Array = new Float32Array(0);
  #blockStart = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(sampleRateHz: number | undefined) {
    this.#sampleRateHz = sampleRateHz;
  }

  /**
   * A part of a recording, with zeros beyond its ends. Calls are served in turn. Rejects with a `ProblemError` of a
   * `WavProblem`, as do the others.
   */
  readPart(path: string, range: SampleRange): Promise<Float32Array> {
    return this.#inTurn(async () => this.#readThroughBlock(await this.#open(path), range));
  }

  /** All of a recording that has samples; cut, or filled with zeros, to `length` where that is given. */
  readWhole(path: string, length?: number): Promise<Float32Array> {
    return this.#inTurn(async () => {
      const recording = await this.#open(path);
      if (recording.length === 0) throw new ProblemError(empty(path));
      return recording.read({ start: 0, end: length ?? recording.length });
    });
  }

  /** Samples of a recording at the wanted rate. */
  length(path: string): Promise<number> {
    return this.#inTurn(async () => (await this.#open(path)).length);
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#close());
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const done = this.#last.then(action);
    // A failure belongs to whoever asked; the next request starts afresh.
    this.#last = done.catch(() => {});
    return done;
  }

  async #readThroughBlock(recording: Recording, { start, end }: SampleRange): Promise<Float32Array> {
    const blockEnd = this.#blockStart + this.#block.length;
    if (start < this.#blockStart || end > blockEnd) {
      // Only reading that goes on where the block ends, or starts a recording, is likely to want what follows.
      const isForward = start >= this.#blockStart && start <= blockEnd;
      const ahead = isForward ? Math.min(start + READ_AHEAD_SAMPLES, recording.length) : end;
      this.#block = await recording.read({ start, end: Math.max(end, ahead) });
      this.#blockStart = start;
    }
    return this.#block.slice(start - this.#blockStart, end - this.#blockStart);
  }

  async #open(path: string): Promise<Recording> {
    if (this.#current?.path === path) return this.#current.recording;
    await this.#close();
    const recording = await openRecording(path, this.#sampleRateHz, this.#findResampler);
    this.#current = { path, recording };
    return recording;
  }

  async #close(): Promise<void> {
    const recording = this.#current?.recording;
    this.#current = undefined;
    this.#block = new Float32Array(0);
    this.#blockStart = 0;
    await recording?.close();
  }
}

function empty(path: string): WavProblem {
  return problem('wav-invalid', 'the recording has no samples', {
    place: { file: path },
    hint: 'remove the file, or record it again',
  });
}
