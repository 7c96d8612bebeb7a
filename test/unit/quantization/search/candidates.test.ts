import { describe, expect, it } from 'vitest';
import type { StaticRecipe } from '../../../../src/quantization/recipe.ts';
import {
  afterGate,
  firstCandidates,
  mixedCandidates,
  plainCandidates,
  type SearchCandidate,
  tunedCandidate,
  ungatedCandidates,
} from '../../../../src/quantization/search/candidates.ts';
import { targetRefusal } from '../../../../src/quantization/target-refusal.ts';
import { TARGETS } from '../../../../src/quantization/targets.ts';

const CPU = { target: 'cpu' } as const;
const GATED = { kind: 'gated', leftNodes: ['slow'] } as const;
const labels = (candidates: readonly SearchCandidate[]) => candidates.map(({ label }) => label);
const first = () => firstCandidates(CPU).candidates[0] as SearchCandidate;

describe('candidates of a search', () => {
  it('begin with one whose latency gate decides for all', () => {
    expect(first()).toMatchObject({ label: 'static-int8 mse', recipe: { latencyGate: 'measured' } });
    const { candidates } = plainCandidates(CPU, GATED);
    const statics = candidates.filter(({ family }) => family === 'static-int8');
    expect(labels(statics)).toHaveLength(9);
    expect(labels(statics)).not.toContain('static-int8 mse');
    for (const { recipe } of statics)
      expect(recipe).toMatchObject({ latencyGate: 'off', exclude: { nodes: ['slow'] } });
  });

  it('have labels of their own, so that figures are not mixed up', () => {
    const all = [...firstCandidates(CPU).candidates, ...plainCandidates(CPU, GATED).candidates];
    expect(new Set(labels(all)).size).toBe(all.length);
  });

  it('are only what makes sense for the target, and say what is left out', () => {
    for (const target of TARGETS) {
      const lists = [firstCandidates({ target }), plainCandidates({ target }, { kind: 'not-gated' })];
      for (const { recipe } of lists.flatMap(({ candidates }) => candidates))
        expect(targetRefusal(recipe)).toBeUndefined();
      for (const { reason } of lists.flatMap(({ leftOut }) => leftOut)) expect(reason).not.toBe('');
      expect(lists.flatMap(({ candidates }) => candidates).length).toBeGreaterThan(3);
    }
    expect(labels(plainCandidates({ target: 'portable' }, { kind: 'not-gated' }).candidates)).toContain(
      'static-int16',
    );
    expect(plainCandidates(CPU, GATED).leftOut).toMatchObject([{ label: 'static-int16' }]);
  });

  it('are one for the size, where int8 is slower than float32', () => {
    const { candidates, leftOut } = plainCandidates(CPU, { kind: 'slower', reason: '3 ms against 2 ms' });
    expect(labels(candidates.filter(({ family }) => family === 'static-int8'))).toEqual([
      'static-int8 mse, all of it in int8',
    ]);
    expect(leftOut).toContainEqual({
      label: 'other methods of static-int8',
      reason: 'none would be faster: 3 ms against 2 ms',
    });
  });

  it('keep to what the user includes and excludes', () => {
    const scope = { target: 'cpu', exclude: { nodes: ['head'] }, include: { opTypes: ['Conv'] } } as const;
    for (const { recipe } of plainCandidates(scope, GATED).candidates) {
      expect(recipe.include.opTypes).toEqual(['Conv']);
      expect(recipe.exclude.nodes).toContain('head');
    }
    const [all] = ungatedCandidates(afterGate(first(), scope, GATED), scope).candidates;
    expect(all?.recipe.exclude.nodes).toEqual(['head']);
  });

  it('are tuned without asking the gate again', () => {
    const gated = afterGate(first(), CPU, GATED);
    expect(gated.recipe).toMatchObject({ latencyGate: 'off', exclude: { nodes: ['slow'] } });
    expect(tunedCandidate(gated, 'full')).toMatchObject({
      label: 'static-int8 mse, tune full',
      family: 'static-int8',
      effort: 'full',
      recipe: { tune: 'full', latencyGate: 'off', exclude: { nodes: ['slow'] } },
    });
    const fast = tunedCandidate(gated, 'fast') as SearchCandidate;
    expect(tunedCandidate(fast, 'full')?.label).toBe('static-int8 mse, tune full');
    const [dynamic] = plainCandidates(CPU, GATED).candidates.filter(({ label }) => label === 'dynamic-int8');
    expect(tunedCandidate(dynamic as SearchCandidate, 'fast')).toBeUndefined();
  });

  it('are mixed for more SQNR than all of it in int8 has, each a family of its own', () => {
    const mixed = mixedCandidates(first(), 21.4);
    expect(mixed.map(({ recipe }) => (recipe as StaticRecipe).minSqnrDb)).toEqual([24, 27, 31]);
    expect(new Set(mixed.map(({ family }) => family)).size).toBe(3);
    expect(mixedCandidates(first(), 95).map(({ recipe }) => (recipe as StaticRecipe).minSqnrDb)).toEqual([
      98,
    ]);
  });
});
