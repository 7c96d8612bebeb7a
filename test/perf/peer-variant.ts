import { join } from 'node:path';
import { readModel } from '../../src/onnx/model-file.ts';
import { nameNodes } from '../../src/onnx/passes/name-nodes.ts';
import { prepareModel } from '../../src/onnx/passes/prepare.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import { unwrap } from '../support/unwrap.ts';
import { type PeerSubject, peerScript } from './peer-subjects.ts';
import { lastLine, watchProcess } from './watched-process.ts';

/** The ways in which the peer finds ranges. */
export type PeerMethod = 'minmax' | 'percentile' | 'entropy';

/** What the peer makes of a model; without a path it could make nothing. */
export interface PeerVariant {
  readonly path: string | undefined;
  readonly failure: string;
  /** What a reader of the figure should know; empty where there is nothing. */
  readonly note: string;
}

/**
 * Quantizes with the peer, min-max unless another method is named. Where it cannot read the model, it gets the model as this tool has prepared it (opset
 * 13, constants as initializers), so that there is something to compare.
 */
export async function quantizeByPeer(
  { name, modelPath, dataPath }: PeerSubject,
  python: string,
  scratch: string,
  method: PeerMethod = 'minmax',
): Promise<PeerVariant> {
  const path = join(scratch, `${name}-peer-${method}.onnx`);
  const attempt = (model: string) =>
    watchProcess(python, [peerScript('peer-quantize.py'), model, dataPath, path, '--method', method]);
  const first = await attempt(modelPath);
  if (first.exitCode === 0) return { path, failure: '', note: '' };
  const prepared = await writePrepared(modelPath, join(scratch, `${name}-prepared.onnx`));
  const second = await attempt(prepared);
  if (second.exitCode === 0)
    return { path, failure: '', note: '; the peer from our prepared model, as it fails on the original' };
  return { path: undefined, failure: lastLine(second.stderr), note: '' };
}

/** Writes the model that this tool quantizes: lifted, folded, every node with a name. */
async function writePrepared(modelPath: string, target: string): Promise<string> {
  const model = unwrap(readModel(modelPath));
  unwrap(await prepareModel(model));
  nameNodes(model);
  unwrap(writeModel(model, target));
  return target;
}
