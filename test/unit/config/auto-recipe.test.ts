import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadProfile } from '../../../src/config/load-profiles.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const BUDGET = 'budget: { metric: top1, absolute: 0.01 }';

function load(recipe: string, { task = 'task: classification', more = BUDGET, data = '' } = {}) {
  const folder = temporaryFolder();
  for (const name of ['m.onnx', 'd.npz']) writeFileSync(join(folder, name), '');
  const lines = [
    'name: tiny',
    'model: m.onnx',
    `data: { path: d.npz${data} }`,
    task,
    'variants:',
    `  - { name: best, recipe: ${recipe} }`,
    more,
  ];
  writeFileSync(join(folder, 'profile.yaml'), lines.join('\n'));
  return loadProfile(folder);
}

async function recipeOf(recipe: string) {
  const profile = await load(recipe);
  if (!profile.ok) throw new Error(profile.error.map(({ message }) => message).join());
  return profile.value.variants[0]?.recipe;
}

async function problemOf(...of: Parameters<typeof load>) {
  const profile = await load(...of);
  if (profile.ok) throw new Error('expected a problem');
  return profile.error[0];
}

describe('a variant whose recipe is searched', () => {
  it('needs no more than its name', async () => {
    expect(await recipeOf('auto')).toEqual({ format: 'auto', samples: 256, goals: {} });
  });

  it('takes goals, a time limit and what holds for all candidates', async () => {
    const settings =
      'maxLatency: 0.5x, maxSize: 2MiB, timeLimit: 30m, target: portable, exclude: { nodes: [head] }';
    expect(await recipeOf(`{ format: auto, ${settings} }`)).toEqual({
      format: 'auto',
      samples: 256,
      goals: {
        maxLatency: { kind: 'relative', ratio: 0.5 },
        maxSize: { kind: 'absolute', value: 2 * 2 ** 20 },
      },
      timeLimitSeconds: 1800,
      target: 'portable',
      exclude: { nodes: ['head'] },
    });
  });

  it('refuses settings that a search decides itself, and those of searches for other formats', async () => {
    expect(await problemOf('{ format: auto, perTensor: true }')).toMatchObject({
      place: { field: '/variants/0/recipe/perTensor' },
      hint: 'it has maxLatency, maxSize, timeLimit, target, include, exclude',
    });
    expect(await problemOf('{ format: float16, maxSize: 0.3x }')).toMatchObject({
      message: 'the format float16 has no setting "maxSize"',
    });
  });

  it.each([
    ['maxLatency: fast', /is "fast", which is not of the form/],
    ['maxLatency: 0ms', /a goal of nothing cannot be reached/],
    ['maxSize: 0x', /a goal of nothing cannot be reached/],
    ['timeLimit: soon', /is "soon", which is not of the form/],
    ['maxlatency: 5ms', /there is no field "maxlatency"/],
  ])('refuses %s', async (setting, message) => {
    expect((await problemOf(`{ format: auto, ${setting} }`))?.message).toMatch(message);
  });

  it('says at once what cannot be searched', async () => {
    expect(await problemOf('auto', { task: '', more: '' })).toMatchObject({
      message: 'outputs that are plain numbers have no answers that a search could keep',
      hint: expect.stringContaining('sqnr_db'),
    });
    const close = 'budget: { metric: sqnr_db, atLeast: 25 }';
    expect((await load('auto', { task: '', more: close })).ok).toBe(true);
    expect(await problemOf('auto', { data: ', states: [{ output: h1, input: h0 }]' })).toMatchObject({
      message: expect.stringContaining('carries states'),
    });
  });
});
