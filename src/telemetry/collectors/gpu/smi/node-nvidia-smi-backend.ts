import { createRequire } from 'node:module';
import { type Clock, secondsBetween, systemClock } from '../../../../core/clock.ts';
import { problem } from '../../../../core/problem.ts';
import { err, ok, type Result } from '../../../../core/result.ts';
import type { Host } from '../../collector.ts';
import type { GpuBackend, GpuProblem } from '../gpu-backend.ts';
import type { GpusReading } from '../gpu-reading.ts';
import { OwnProcesses } from '../own-processes.ts';
import { type QueryXml, readQueryXml } from './read-query-xml.ts';
import { commandExists, SMI_MISSING, smiProblem } from './smi-problems.ts';

/** What the package exports: runs `nvidia-smi -q -x` and gives the XML as xml2js reads it, or why not. */
export type QueryNvidiaSmi = (done: (error: unknown, document: unknown) => void) => void;

export interface NodeNvidiaSmiOptions {
  readonly query?: QueryNvidiaSmi;
  readonly clock?: Clock;
  readonly timeoutMs?: number;
}

/** On a host with several GPUs a query has been seen to take six seconds, and to slow down what runs on them. */
const LEAST_PERIOD_SECONDS = 5;
const SHARE_OF_TIME = 0.1;
const TIMEOUT_MS = 30_000;

const STARTING: GpuProblem = {
  ...problem('unreadable', 'nvidia-smi -q -x has not answered yet.'),
  isStarting: true,
};

/**
 * GPUs by the package node-nvidia-smi: a query of everything, one after another, for where nothing better works. The package
 * waits without limit and takes any word on stderr for a failure, so it is given up after a while and not asked beside itself.
 */
export class NodeNvidiaSmiBackend implements GpuBackend {
  readonly name = 'node-nvidia-smi';
  readonly #query: QueryNvidiaSmi | undefined;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #ownProcesses = new OwnProcesses();
  #answer: { readonly xml: QueryXml; readonly atNs: bigint } | undefined;
  #failure: GpuProblem | undefined;
  #isWaiting = false;
  #startedNs: bigint | undefined;
  #periodSeconds = LEAST_PERIOD_SECONDS;

  constructor({ query, clock = systemClock, timeoutMs = TIMEOUT_MS }: NodeNvidiaSmiOptions = {}) {
    this.#query = query;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  read(host: Host, watchedPids: readonly number[]): Result<GpusReading, GpuProblem> {
    if (!commandExists('nvidia-smi')) return err(SMI_MISSING);
    const nowNs = this.#clock.nowNs();
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) return err(failure);
    if (this.#isWaiting && this.#startedNs !== undefined) {
      if (secondsBetween(this.#startedNs, nowNs) * 1e3 > this.#timeoutMs) {
        return err(
          problem('unreadable', `nvidia-smi -q -x gave no answer within ${this.#timeoutMs / 1e3} s.`),
        );
      }
    } else if (
      this.#startedNs === undefined ||
      secondsBetween(this.#startedNs, nowNs) >= this.#periodSeconds
    ) {
      this.#ask(nowNs);
    }
    const answer = this.#answer;
    if (answer === undefined) return err(STARTING);
    if (secondsBetween(answer.atNs, nowNs) > 2 * this.#periodSeconds) {
      return err(problem('unreadable', 'nvidia-smi -q -x has stopped answering.'));
    }
    return ok(this.#readingOf(answer.xml, host, watchedPids));
  }

  close(): void {
    this.#answer = undefined;
  }

  #ask(nowNs: bigint): void {
    const query = this.#query ?? loadPackage();
    if (query === undefined) {
      this.#failure = problem('absent', 'The package node-nvidia-smi is not installed.');
      return;
    }
    this.#isWaiting = true;
    this.#startedNs = nowNs;
    query((error, document) => {
      this.#isWaiting = false;
      const answeredNs = this.#clock.nowNs();
      this.#periodSeconds = Math.max(LEAST_PERIOD_SECONDS, secondsBetween(nowNs, answeredNs) / SHARE_OF_TIME);
      const xml = error === null || error === undefined ? readQueryXml(document) : undefined;
      if (xml !== undefined && xml.gpus.length > 0) this.#answer = { xml, atNs: answeredNs };
      else this.#failure = problemOf(error, xml);
    });
  }

  #readingOf({ gpus, ...versions }: QueryXml, host: Host, watchedPids: readonly number[]): GpusReading {
    return {
      backend: 'node-nvidia-smi',
      ...versions,
      gpus: gpus.map(({ gpu, processes }) => {
        const own = this.#ownProcesses.find(processes, host, watchedPids);
        return { ...gpu, ...(own === undefined ? {} : { processes: own }) };
      }),
    };
  }
}

function loadPackage(): QueryNvidiaSmi | undefined {
  try {
    const require = createRequire(import.meta.url);
    return require('node-nvidia-smi') as QueryNvidiaSmi;
  } catch {
    return undefined;
  }
}

function problemOf(error: unknown, xml: QueryXml | undefined): GpuProblem {
  if (xml !== undefined) return problem('absent', 'nvidia-smi finds no GPU.');
  // What it said on stderr, though its answer may have been whole: the package keeps only one of the two.
  if (typeof error === 'string') return smiProblem({ code: 0, signal: null, words: error });
  if (!(error instanceof Error)) return problem('malformed', 'nvidia-smi -q -x printed no such document.');
  const code = 'code' in error && typeof error.code === 'number' ? error.code : undefined;
  // The status of a shell that does not find the command.
  if (code === 127) return SMI_MISSING;
  if (code === undefined) return problem('malformed', `nvidia-smi -q -x printed no XML: ${firstLine(error)}`);
  return smiProblem({ code, signal: null, words: '' });
}

function firstLine({ message }: Error): string {
  return message.split('\n')[0] ?? '';
}
