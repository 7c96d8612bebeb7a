import { type Clock, systemClock } from '../../../../core/clock.ts';
import { problem } from '../../../../core/problem.ts';
import { err, ok, type Result } from '../../../../core/result.ts';
import type { Host } from '../../collector.ts';
import type { GpuBackend, GpuProblem } from '../gpu-backend.ts';
import { type GpuReading, type GpusReading, known, type MigDevice } from '../gpu-reading.ts';
import { LineStream, type LineStreamLimits, type StreamEnd } from './line-stream.ts';
import { type GpuLine, parseGpuLine } from './parse-gpu-line.ts';
import { ProcessStream } from './process-stream.ts';
import { readMigDevices } from './read-mig-devices.ts';
import { runSmi } from './run-smi.ts';
import { chooseSmiFields, type SmiField } from './smi-fields.ts';
import { commandExists, SMI_MISSING, smiProblem } from './smi-problems.ts';

export interface NvidiaSmiOptions {
  readonly command?: string;
  readonly clock?: Clock;
  readonly limits?: Partial<NvidiaSmiLimits>;
}

export interface NvidiaSmiLimits {
  readonly helpMs: number;
  /** For the first line of a stream: the driver may have to wake every GPU. */
  readonly firstLineMs: number;
  /** A stream without a line for this long, or for ten periods if that is longer, hangs. */
  readonly silenceMs: number;
  readonly killAfterMs: number;
  /** A line this old, or three periods if that is longer, no longer shows the present. */
  readonly freshMs: number;
}

const DEFAULT_LIMITS: NvidiaSmiLimits = {
  helpMs: 15_000,
  firstLineMs: 30_000,
  silenceMs: 5_000,
  killAfterMs: 2_000,
  freshMs: 2_000,
};

/** GPUs change nothing that they tell faster than this. */
const MIN_PERIOD_MS = 100;
const MAX_PERIOD_MS = 1_000;
/** So many readings in a row at another pace change that of the stream. */
const READINGS_UNTIL_CHANGE = 5;
const PACE_TOLERANCE = 1.8;

const STARTING: GpuProblem = {
  ...problem('unreadable', 'nvidia-smi has not answered yet.'),
  isStarting: true,
};

/**
 * GPUs by one nvidia-smi that keeps running and prints a line per GPU and period. Its fields are those of its own help. Bad
 * lines are passed over; silence ends it. How fast it prints follows how often it is read, within 100 ms to 1 s.
 */
export class NvidiaSmiBackend implements GpuBackend {
  readonly name = 'nvidia-smi';
  readonly #command: string;
  readonly #clock: Clock;
  readonly #limits: NvidiaSmiLimits;
  readonly #processes: ProcessStream;
  readonly #lines = new Map<string, { readonly line: GpuLine; readonly atNs: bigint }>();
  /** Whether every GPU has been seen, as the first lines come one by one. */
  #hasAll = false;
  #parts: ReadonlyMap<string, readonly MigDevice[]> | undefined;
  #fields: readonly SmiField[] | undefined;
  #isStarting = false;
  /** What was begun before a closing does not go on after it. */
  #closings = 0;
  #openedAtNs = 0n;
  /** How long a stream took until its first line. */
  #startUpNs = 0n;
  #periodMs = MAX_PERIOD_MS;
  #stream: LineStream | undefined;
  /** At another pace; it takes the place of the stream with its first line. */
  #nextStream: LineStream | undefined;
  /** It hangs in the driver and cannot be killed; no other is started beside it. */
  #stuck: LineStream | undefined;
  #failure: GpuProblem | undefined;
  #lastReadNs: bigint | undefined;
  #readingsAtOtherPace = 0;

  constructor({ command = 'nvidia-smi', clock = systemClock, limits = {} }: NvidiaSmiOptions = {}) {
    this.#command = command;
    this.#clock = clock;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#processes = new ProcessStream(command, clock, this.#limits);
  }

  read(host: Host, watchedPids: readonly number[]): Result<GpusReading, GpuProblem> {
    const nowNs = this.#clock.nowNs();
    this.#followPace(nowNs);
    const failure = this.#failure;
    if (failure !== undefined) {
      // Told once; whoever asks again after that wants another attempt.
      this.#failure = undefined;
      return err(failure);
    }
    if (this.#stream === undefined && !this.#isStarting) {
      const refused = this.#start();
      if (refused !== undefined) return err(refused);
    }
    if (this.#hasAll) this.#processes.follow(watchedPids, this.#periodMs, this.#startUpNs);
    return this.#readLines(nowNs, host, watchedPids);
  }

  close(): void {
    this.#closings += 1;
    this.#processes.stop();
    this.#stream?.stop();
    this.#nextStream?.stop();
    this.#stream = undefined;
    this.#nextStream = undefined;
    this.#lines.clear();
    this.#hasAll = false;
    this.#parts = undefined;
  }

  #readLines(nowNs: bigint, host: Host, watchedPids: readonly number[]): Result<GpusReading, GpuProblem> {
    const freshNs = BigInt(Math.round(Math.max(3 * this.#periodMs, this.#limits.freshMs) * 1e6));
    const fresh = [...this.#lines.values()].filter(({ atNs }) => nowNs - atNs <= freshNs);
    if (!this.#hasAll) return err(STARTING);
    const [first] = fresh;
    if (first === undefined) return err(problem('unreadable', 'nvidia-smi has stopped answering.'));
    const gpus = fresh
      .map(({ line }) => this.#complete(line.gpu, host, watchedPids))
      .sort((a, b) => a.index - b.index);
    return ok({ backend: 'nvidia-smi', ...known({ driverVersion: first.line.driverVersion }), gpus });
  }

  #complete(gpu: GpuReading, host: Host, watchedPids: readonly number[]): GpuReading {
    return {
      ...gpu,
      ...known({
        processes: this.#processes.of(gpu.uuid, host, watchedPids),
        mig: this.#parts?.get(gpu.uuid),
      }),
    };
  }

  /** Begins a stream, or says why not. */
  #start(): GpuProblem | undefined {
    if (!commandExists(this.#command)) return SMI_MISSING;
    if (this.#stuck?.hasExited === false) {
      return problem('unreadable', 'An nvidia-smi hangs in the driver and cannot be ended.', {
        hint: 'see the kernel log (dmesg); a reset of the GPU or a reboot ends it',
      });
    }
    void this.#startStream();
    return undefined;
  }

  async #startStream(): Promise<void> {
    this.#isStarting = true;
    const closings = this.#closings;
    const failure = await this.#discoverFields();
    this.#isStarting = false;
    if (this.#closings !== closings) return;
    if (failure !== undefined) this.#failure = failure;
    else this.#stream = this.#openStream(this.#periodMs);
  }

  async #discoverFields(): Promise<GpuProblem | undefined> {
    const help = await runSmi(this.#command, ['--help-query-gpu'], this.#limits.helpMs);
    if (!help.ok) return help.error;
    this.#fields = chooseSmiFields(help.value);
    return this.#fields === undefined
      ? problem('malformed', 'nvidia-smi --help-query-gpu does not list the fields that it can print.')
      : undefined;
  }

  #openStream(periodMs: number): LineStream {
    const fields = this.#fields ?? [];
    const limits: LineStreamLimits = {
      firstLineMs: this.#limits.firstLineMs,
      silenceMs: Math.max(10 * periodMs, this.#limits.silenceMs),
      killAfterMs: this.#limits.killAfterMs,
    };
    this.#openedAtNs = this.#clock.nowNs();
    const query = fields.map(({ name }) => name).join(',');
    const stream = new LineStream(
      this.#command,
      [`--query-gpu=${query}`, '--format=csv,noheader,nounits', '-lms', `${periodMs}`],
      limits,
      {
        line: (text) => this.#receive(stream, text, periodMs),
        ended: (end) => this.#streamEnded(stream, end),
      },
    );
    return stream;
  }

  #receive(stream: LineStream, text: string, periodMs: number): boolean {
    const line = parseGpuLine(text, this.#fields ?? []);
    if (line === undefined) return false;
    if (stream === this.#nextStream) {
      this.#stream?.stop();
      this.#stream = stream;
      this.#nextStream = undefined;
      this.#periodMs = periodMs;
    }
    const nowNs = this.#clock.nowNs();
    if (this.#lines.size === 0) this.#startUpNs = nowNs - this.#openedAtNs;
    if (this.#lines.has(line.gpu.uuid)) this.#hasAll = true;
    this.#lines.set(line.gpu.uuid, { line, atNs: nowNs });
    if (this.#lines.size === line.count) this.#hasAll = true;
    if (line.isSplit && this.#parts === undefined) this.#listParts();
    return true;
  }

  /** Once a session: to split a GPU otherwise, its work must be stopped. */
  #listParts(): void {
    this.#parts = new Map();
    const closings = this.#closings;
    void readMigDevices(this.#command).then((parts) => {
      if (this.#closings === closings) this.#parts = parts;
    });
  }

  #streamEnded(stream: LineStream, end: StreamEnd): void {
    if (stream === this.#nextStream) {
      this.#nextStream = undefined;
      return;
    }
    this.close();
    if (end.kind === 'silent') this.#stuck = stream;
    this.#failure = problemOf(end);
  }

  #followPace(nowNs: bigint): void {
    const lastNs = this.#lastReadNs;
    this.#lastReadNs = nowNs;
    if (lastNs === undefined) return;
    const wantedMs = Math.min(
      MAX_PERIOD_MS,
      Math.max(MIN_PERIOD_MS, Math.round(Number(nowNs - lastNs) / 1e6 / 10) * 10),
    );
    const isOther = wantedMs > this.#periodMs * PACE_TOLERANCE || wantedMs < this.#periodMs / PACE_TOLERANCE;
    this.#readingsAtOtherPace = isOther ? this.#readingsAtOtherPace + 1 : 0;
    if (this.#readingsAtOtherPace < READINGS_UNTIL_CHANGE || this.#nextStream !== undefined) return;
    this.#readingsAtOtherPace = 0;
    if (this.#stream === undefined) this.#periodMs = wantedMs;
    else this.#nextStream = this.#openStream(wantedMs);
  }
}

function problemOf(end: StreamEnd): GpuProblem {
  switch (end.kind) {
    case 'exit':
      return smiProblem(end);
    case 'not-started':
      return end.code === 'ENOENT'
        ? SMI_MISSING
        : problem('unreadable', `nvidia-smi cannot be started (${end.code}).`);
    case 'silent':
      return problem('unreadable', `nvidia-smi printed nothing for ${end.silentMs / 1000} s and was ended.`, {
        hint: 'a driver call hangs; look for NVRM in the kernel log (dmesg)',
      });
  }
}
