import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { OnnxModel } from '../onnx/model-file.ts';
import { writeModel } from '../onnx/write-model.ts';
import { type SessionThread, startSessionThread } from './session-thread.ts';
import { coresFor, openSharedSession, type SharedSession } from './shared-session.ts';
import { unwrap } from './unwrap.ts';

/** Runs models that exist in memory alone. */
export interface ModelRunner {
  /** The session is the caller's to close, once no run is under way. */
  open(model: OnnxModel, how: Arithmetic): Promise<SharedSession>;
  with<T>(model: OnnxModel, use: (session: SharedSession) => Promise<T>, how?: Arithmetic): Promise<T>;
  /** Ends the threads that were started, once all sessions are closed. */
  close(): Promise<void>;
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

/** What a second session of a larger model holds is more than the time is worth that it saves. */
const MOST_SHARED_BYTES = 64 * 2 ** 20;

/**
 * Each model runs in this thread and, where there are cores and the compiled thread, in a second beside it, which is kept
 * for the next model.
 */
export function createModelRunner({ scratch, threads, sessionEntry }: RunnerSettings): ModelRunner {
  let count = 0;
  const idle: SessionThread[] = [];
  const takeHelper = (sizeBytes: number): SessionThread | undefined => {
    if (sessionEntry === undefined || coresFor(threads) === 1 || sizeBytes > MOST_SHARED_BYTES)
      return undefined;
    return idle.pop() ?? startSessionThread(sessionEntry);
  };
  const open = async (model: OnnxModel, how: Arithmetic): Promise<SharedSession> => {
    count += 1;
    const path = join(scratch, `run-${count}.onnx`);
    const { sizeBytes, externalSizeBytes } = unwrap(writeModel(model, path, { durable: false }));
    const helper = takeHelper(sizeBytes + externalSizeBytes);
    const release = async () => {
      // It may be loading the model still, and the file has to be there until it has.
      const isUsable = await helper?.unload().then(
        () => true,
        () => false,
      );
      if (helper !== undefined && isUsable === true) idle.push(helper);
      else await helper?.close();
      await rm(path, { force: true });
      await rm(`${path}.data`, { force: true });
    };
    const settings = { keepsConversions: how === 'float' };
    const session = await openSharedSession(path, threads, helper, undefined, settings);
    if (!session.ok) await release();
    const opened = unwrap(session);
    const close = async () => {
      await opened.close();
      await release();
    };
    return { ...opened, close };
  };
  return {
    open,
    with: async (model, use, how = 'float') => {
      const session = await open(model, how);
      try {
        return await use(session);
      } finally {
        await session.close();
      }
    },
    close: async () => {
      for (const helper of idle.splice(0)) await helper.close();
    },
  };
}
