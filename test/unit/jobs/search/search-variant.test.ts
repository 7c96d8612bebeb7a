import { describe, expect, it } from 'vitest';
import type { AutoRecipe, Profile } from '../../../../src/config/profile.ts';
import { ensureVariant } from '../../../../src/jobs/variant-artifact.ts';
import { profileOf } from '../../../support/profile.ts';

const RECIPE: AutoRecipe = { format: 'auto', samples: 64, goals: {} };
const INPUTS = { modelDigest: 'm', dataDigest: 'd', modelSizeBytes: 10 };

/** The name of the artifact that a profile's variant asks for, where the store has it. */
async function hashOf(recipe: AutoRecipe, more: Partial<Profile> = {}): Promise<string> {
  let asked = '';
  const search = { output: '/tmp/made.onnx', choice: { label: 'float16' } };
  const found = await ensureVariant(
    profileOf('tiny', more),
    { name: 'best', recipe },
    INPUTS,
    {
      findArtifact: (hash) => {
        asked = hash;
        const report = { output: '/tmp/made.onnx', search };
        return {
          hash,
          model: 'tiny',
          variant: 'best',
          path: '/a.onnx',
          sizeBytes: 1,
          recipe,
          report,
          createdMs: 0,
        };
      },
      publishArtifact: () => Promise.reject(new Error('nothing is made')),
      temporaryFile: () => '',
      calibrationFolder: '',
      searchesFolder: '',
      diskSpace: () => Promise.reject(new Error('nothing is made')),
    },
    { entry: new URL('file:///none') },
    {},
  );
  // What is kept of the search says where the model lies now.
  expect(found).toMatchObject({
    value: { reused: true, report: { output: '/a.onnx', search: { output: '/a.onnx' } } },
  });
  return asked;
}

describe('the artifact of a variant whose recipe is searched', () => {
  it('is one for all that a search goes by, and another for anything else', async () => {
    const first = await hashOf(RECIPE);
    expect(await hashOf(RECIPE)).toBe(first);
    const others = [
      await hashOf({ ...RECIPE, samples: 32 }),
      await hashOf({ ...RECIPE, goals: { maxSize: { kind: 'relative', ratio: 0.3 } } }),
      await hashOf({ ...RECIPE, timeLimitSeconds: 60 }),
      await hashOf(RECIPE, { budget: { metric: 'top1', absolute: 0.02 } }),
      await hashOf(RECIPE, { task: { name: 'embedding', settings: {} } }),
    ];
    expect(new Set([first, ...others]).size).toBe(6);
  });
});
