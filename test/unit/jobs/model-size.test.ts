import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { attemptAsync } from '../../../src/core/problem.ts';
import { modelSizeBytes } from '../../../src/jobs/model-size.ts';
import { writeModel } from '../../../src/onnx/write-model.ts';
import { layers } from '../../support/hostile-models.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

it('counts the data of a model, and names it where it is missing', async () => {
  const path = join(temporaryFolder(), 'model.onnx');
  unwrap(writeModel(layers(), path, { externalData: 'external' }));
  const data = `${path}.data`;
  expect(await modelSizeBytes(path)).toBe(statSync(path).size + statSync(data).size);
  rmSync(data);
  expect(await attemptAsync(() => modelSizeBytes(path))).toMatchObject({
    error: { kind: 'file-unreadable', message: expect.stringContaining('ENOENT'), place: { file: data } },
  });
});
