import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestInputs } from '../../../src/jobs/digest-inputs.ts';
import { modelSizeBytes } from '../../../src/jobs/model-size.ts';
import { writeModel } from '../../../src/onnx/write-model.ts';
import { chain, graphOf } from '../../support/chain.ts';
import { node, tensor } from '../../support/graph-builder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

/** A model of which the weights lie in a file of their own, and samples for it. */
function writtenModel() {
  const folder = temporaryFolder();
  const given = chain(13, [node('Add', ['x', 'w'], ['y'])], [500]);
  graphOf(given).initializer.push(tensor('w', [500], new Array(500).fill(0.5)));
  const modelPath = join(folder, 'model.onnx');
  const dataPath = join(folder, 'data.npz');
  unwrap(writeModel(given, modelPath, { externalData: 'external' }));
  writeFileSync(dataPath, 'samples');
  return { modelPath, dataPath, weightsPath: `${modelPath}.data` };
}

describe('a model with external data', () => {
  it('is as large as its files together', async () => {
    const { modelPath, weightsPath } = writtenModel();
    const size = statSync(modelPath).size + statSync(weightsPath).size;
    expect(await modelSizeBytes(modelPath)).toBe(size);
  });

  it('has another digest when its weights change, and none of its other digests does', async () => {
    const { modelPath, dataPath, weightsPath } = writtenModel();
    const task = { kind: 'digest', modelPath, data: { path: dataPath } } as const;
    const before = await digestInputs(task);
    const weights = readFileSync(weightsPath);
    weights[0] = 1;
    writeFileSync(weightsPath, weights);
    const after = await digestInputs(task);
    expect(after.modelDigest).not.toBe(before.modelDigest);
    expect(after.dataDigest).toBe(before.dataDigest);
    writeFileSync(dataPath, 'other samples');
    const moved = await digestInputs(task);
    expect(moved.modelDigest).toBe(after.modelDigest);
    expect(moved.dataDigest).not.toBe(after.dataDigest);
  });
});
