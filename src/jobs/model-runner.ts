import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { OnnxModel } from '../onnx/model-file.ts';
import { writeModel } from '../onnx/write-model.ts';
import type { ModelPort } from '../runtime/session.ts';
import { type SessionThread, startSessionThread } from './session-thread.ts';
import { coresFor, createSharedStages, type SharedSession } from './shared-session.ts';
import { unwrap } from './unwrap.ts';

/** Runs models that exist in memory alone. */
export interface ModelRunner {
  /** The session is the caller's to close, once no run is under way. */
  open(model: OnnxModel, how: Arithmetic): Promise<SharedSession>;
  with<T>(model: OnnxModel, use: (session: SharedSession) => Promise<T>, how?: Arithmetic): Promise<T>;
  /**
   * Two models of which the second runs on what the first gave, and on what the first was fed.
   * @param behind makes the second, once it is known what the first gives
   */
  withSplit<T>(
    first: OnnxModel,
    behind: (given: readonly ModelPort[]) => OnnxModel,
    use: (session: SharedSession) => Promise<T>,
  ): Promise<T>;
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
  const write = (model: OnnxModel): { readonly path: string; readonly sizeBytes: number } => {
    count += 1;
    const path = join(scratch, `run-${count}.onnx`);
    const { sizeBytes, externalSizeBytes } = unwrap(writeModel(model, path, { durable: false }));
    return { path, sizeBytes: sizeBytes + externalSizeBytes };
  };
  const openStages = async (
    first: OnnxModel,
    behind: readonly ((given: readonly ModelPort[]) => OnnxModel)[],
    how: Arithmetic,
  ): Promise<SharedSession> => {
    const written = [write(first)];
    const helper = takeHelper(written[0]?.sizeBytes ?? 0);
    const release = async () => {
      // It may be loading the model still, and the file has to be there until it has.
      const isUsable = await helper?.unload().then(
        () => true,
        () => false,
      );
      if (helper !== undefined && isUsable === true) idle.push(helper);
      else await helper?.close();
      for (const { path } of written) {
        await rm(path, { force: true });
        await rm(`${path}.data`, { force: true });
      }
    };
    const stages = createSharedStages(threads, helper, undefined, { keepsConversions: how === 'float' });
    const close = async () => {
      await stages.close();
      await release();
    };
    try {
      let given = unwrap(await stages.add((written[0] as { readonly path: string }).path));
      for (const make of behind) {
        const next = write(make(given));
        written.push(next);
        given = unwrap(await stages.add(next.path));
      }
      return { ...stages.session(), close };
    } catch (error) {
      await close();
      throw error;
    }
  };
  const use = async <T>(session: SharedSession, action: (session: SharedSession) => Promise<T>) => {
    try {
      return await action(session);
    } finally {
      await session.close();
    }
  };
  return {
    open: (model, how) => openStages(model, [], how),
    with: async (model, action, how = 'float') => use(await openStages(model, [], how), action),
    withSplit: async (first, behind, action) => use(await openStages(first, [behind], 'float'), action),
    close: async () => {
      for (const helper of idle.splice(0)) await helper.close();
    },
  };
}
