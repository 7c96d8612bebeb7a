import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ok } from '../core/result.ts';
import type { OpenModel } from '../onnx/open-model.ts';
import { writeModel } from '../onnx/write-model.ts';
import { openSession } from '../runtime/session.ts';

/**
 * Lets graph passes compute with ONNX Runtime: a model is written into `folder`, loaded with its graph as it is, and
 * its file removed again. One at a time.
 * @param threads inside an operator; 0 for every core
 */
export function scratchModelOpener(folder: string, threads: number): OpenModel {
  const path = join(folder, 'constants.onnx');
  return async (model) => {
    try {
      const written = writeModel(model, path, { externalData: 'inline', durable: false });
      if (!written.ok) return written;
      const settings = { intraOpThreads: threads, graphOptimization: 'disabled', sleeps: true } as const;
      const session = await openSession(path, settings);
      return session.ok ? ok(session.value) : session;
    } finally {
      await rm(path, { force: true });
    }
  };
}
