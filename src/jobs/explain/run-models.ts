import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ProblemError } from '../../core/problem.ts';
import type { NamedTensors } from '../../core/tensor.ts';
import type { Sample, SampleSource } from '../../data/sample-source.ts';
import type { OnnxModel } from '../../onnx/model-file.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { startSessionThread } from '../session-thread.ts';
import { coresFor, openSharedSession, type SharedSession } from '../shared-session.ts';
import { unwrap } from '../unwrap.ts';

/** Runs models that exist in memory alone. */
export interface ModelRunner {
  with<T>(model: OnnxModel, use: (session: SharedSession) => Promise<T>, how?: Arithmetic): Promise<T>;
}

/**
 * `float`: conversions between floats and codes are computed as they stand. The runtime would look for operators to fuse them with, and
 * version 1.30 aborts where what reads them is the body of an If.
 */
export type Arithmetic = 'float' | 'codes';

export interface RunnerSettings {
  /** A folder for files of models, each of which is removed again. */
  readonly scratch: string;
  readonly threads: number;
  readonly sessionEntry: URL | undefined;
}

/** Each model runs in this thread and, where there are cores and the compiled thread, in a second beside it. */
export function createModelRunner({ scratch, threads, sessionEntry }: RunnerSettings): ModelRunner {
  let count = 0;
  return {
    with: async (model, use, how = 'float') => {
      count += 1;
      const path = join(scratch, `explain-${count}.onnx`);
      unwrap(writeModel(model, path, { durable: false }));
      const helper =
        sessionEntry === undefined || coresFor(threads) === 1 ? undefined : startSessionThread(sessionEntry);
      let session: SharedSession | undefined;
      try {
        const settings = { keepsConversions: how === 'float' };
        session = unwrap(await openSharedSession(path, threads, helper, undefined, settings));
        return await use(session);
      } finally {
        await session?.close();
        await helper?.close();
        await rm(path, { force: true });
        await rm(`${path}.data`, { force: true });
      }
    },
  };
}

/** Samples are read again and again, so they are kept as long as they are no larger. */
const MOST_KEPT_BYTES = 64 * 2 ** 20;

/** Some samples of a source, evenly spread. */
export interface ChosenSamples {
  readonly count: number;
  read(limit?: number): AsyncIterable<Sample>;
}

/** Reads no sample yet. */
export function chooseSamples(source: SampleSource, most: number): ChosenSamples {
  const count = Math.min(most, source.count);
  const kept = new Map<number, Sample>();
  let keptBytes = 0;
  async function* read(limit = count): AsyncGenerator<Sample> {
    for (let i = 0; i < Math.min(limit, count); i++) {
      const position = Math.floor((i * source.count) / count);
      const before = kept.get(position);
      if (before !== undefined) {
        yield before;
        continue;
      }
      const sample = await source.read(position);
      if (!sample.ok) {
        if (source.skipsBadSamples) continue;
        throw new ProblemError(sample.error);
      }
      const sizeBytes = sizeOf(sample.value.feeds);
      if (keptBytes + sizeBytes <= MOST_KEPT_BYTES) {
        kept.set(position, sample.value);
        keptBytes += sizeBytes;
      }
      yield sample.value;
    }
  }
  return { count, read };
}

function sizeOf(feeds: NamedTensors): number {
  return Object.values(feeds).reduce(
    (bytes, { data }) => bytes + (ArrayBuffer.isView(data) ? data.byteLength : 0),
    0,
  );
}
