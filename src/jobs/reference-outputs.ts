import type { Clock } from '../core/clock.ts';
import { ProblemError, problem } from '../core/problem.ts';
import type { LaneOutputs } from './evaluation-lane.ts';
import { createOutputsFile } from './outputs-file.ts';
import { outputsOrigin } from './outputs-origin.ts';
import { type OutputsReader, openOutputsFile } from './outputs-reader.ts';

/** The reference's outputs: taken from a file where an earlier evaluation left them, otherwise written for later ones. */
export interface ReferenceOutputs {
  /** There is a file, so the reference need not be run. */
  readonly isKnown: boolean;
  /** The outputs for a sample. Samples come in the order in which they were written. */
  take(index: number, found: LaneOutputs): Promise<NonNullable<LaneOutputs>>;
  /** Every sample was taken: what was written may be kept. */
  finish(): Promise<void>;
  /** Leaves nothing behind of what was not finished. */
  close(): Promise<void>;
}

/** Beyond this the model is cheaper to run again than its outputs to keep. */
const MAX_BYTES = 2 ** 30;

/** @param path of the file; without one nothing is kept */
export async function openReferenceOutputs(
  path: string | undefined,
  clock: Clock,
): Promise<ReferenceOutputs> {
  if (path === undefined) return passOn();
  const reader = await openOutputsFile(path);
  return reader === undefined ? record(path, clock) : replay(path, reader);
}

function passOn(): ReferenceOutputs {
  return {
    isKnown: false,
    take: async (_index, found) => requireRun(found),
    finish: async () => {},
    close: async () => {},
  };
}

function replay(path: string, reader: OutputsReader): ReferenceOutputs {
  return {
    isKnown: true,
    take: async (index) => {
      const recorded = await reader.next();
      if (recorded?.index === index) return { tensors: recorded.outputs };
      throw new ProblemError(
        problem('outputs-damaged', `stored outputs of the reference lack sample ${index}`, {
          place: { file: path },
          hint: 'delete the file; it is made anew',
        }),
      );
    },
    finish: async () => {},
    close: () => reader.close(),
  };
}

async function record(path: string, clock: Clock): Promise<ReferenceOutputs> {
  const writer = await createOutputsFile(path, outputsOrigin(clock), MAX_BYTES);
  let hasFailed = false;
  return {
    isKnown: false,
    take: async (index, found) => {
      const outputs = requireRun(found);
      if ('problem' in outputs) hasFailed = true;
      else await writer.write(index, outputs.tensors);
      return outputs;
    },
    finish: async () => {
      // A sample on which the reference fails has no outputs to keep, and is to be tried again.
      if (!hasFailed) await writer.commit();
    },
    close: () => writer.abort(),
  };
}

function requireRun(found: LaneOutputs): NonNullable<LaneOutputs> {
  if (found === undefined) throw new Error('the reference was not run, and its outputs are not known');
  return found;
}
