import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeModel } from '../../src/onnx/write-model.ts';
import { float32Npy, int64Npy, npz } from '../unit/data/npz-writer.ts';
import { graph, model, node, tensor, value } from './graph-builder.ts';
import { unwrap } from './unwrap.ts';

/** What feeds the state of `writeRecurrentModel` back. */
export const FEEDBACK = { output: 'stateN', input: 'state' } as const;

/**
 * Writes a model that adds up what it is fed: `stateN` = `state` + `x`, and `y` = `stateN` times the 2x2 identity.
 * @param gain multiplies the state on its way; 0 makes a model that forgets
 */
export function writeRecurrentModel(folder: string, name = 'recurrent.onnx', gain = 1): string {
  const path = join(folder, name);
  const body = graph({
    inputs: [value('x', 'float', ['batch', 2]), value('state', 'float', ['batch', 2])],
    nodes: [
      node('Mul', ['state', 'gain'], ['kept']),
      node('Add', ['kept', 'x'], ['stateN']),
      node('MatMul', ['stateN', 'w'], ['y']),
    ],
    outputs: [value('y', 'float', ['batch', 2]), value('stateN', 'float', ['batch', 2])],
    initializers: [tensor('w', [2, 2], [1, 0, 0, 1]), tensor('gain', [], [gain])],
  });
  unwrap(writeModel(model(body), path));
  return path;
}

/** Writes samples for it: [1, -1], [2, -2] … in the splits `calib` and `eval`. */
export function writeRecurrentData(folder: string, count: number, sequence?: readonly number[]): string {
  const path = join(folder, 'data.npz');
  const rows = Array.from({ length: count }, (_, index) => [index + 1, -(index + 1)]).flat();
  const arrays = ['calib', 'eval'].flatMap((split) => [
    [`${split}/x`, float32Npy([count, 2], rows)] as const,
    ...(sequence === undefined ? [] : [[`${split}/sequence`, int64Npy([count], sequence)] as const]),
  ]);
  writeFileSync(path, npz(Object.fromEntries(arrays)));
  return path;
}
