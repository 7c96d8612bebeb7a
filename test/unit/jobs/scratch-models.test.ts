import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchModelOpener } from '../../../src/jobs/scratch-models.ts';
import { chain } from '../../support/chain.ts';
import { node } from '../../support/graph-builder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

describe('scratchModelOpener', () => {
  it('loads a model as it is, says what its outputs are, runs it and leaves no file', async () => {
    const folder = temporaryFolder();
    const given = chain(13, [node('Transpose', ['x'], ['y'])], ['N', 3]);
    const opened = unwrap(await scratchModelOpener(folder, 1)(given));
    expect(readdirSync(folder)).toEqual([]);
    expect(opened.outputs).toEqual([{ name: 'y', type: 'float32', dims: [3, 'N'] }]);
    const x = { type: 'float32', dims: [1, 3], data: Float32Array.of(1, 2, 3) } as const;
    expect((await opened.run({ x }))['y']?.dims).toEqual([3, 1]);
    await opened.close();
  });

  it('gives the problem of a model that the runtime refuses, and leaves no file', async () => {
    const folder = temporaryFolder();
    const refused = await scratchModelOpener(folder, 1)(chain(13, [node('NoSuchOperator', ['x'], ['y'])]));
    expect(refused).toMatchObject({ ok: false, error: { kind: 'model-rejected-by-runtime' } });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('gives the problem of a folder that is not there', async () => {
    const folder = join(temporaryFolder(), 'missing');
    const result = await scratchModelOpener(folder, 1)(chain(13, [node('Relu', ['x'], ['y'])]));
    expect(result.ok).toBe(false);
  });
});
