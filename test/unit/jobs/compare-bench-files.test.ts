import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/benchmark/random.ts';
import { compareBenchFiles } from '../../../src/jobs/compare-bench-files.ts';
import { benchFileOf, type Services, suiteRunOf } from '../../support/bench-runs.ts';
import { unwrap } from '../../support/unwrap.ts';

/** Takes about so many milliseconds. */
const about = (milliseconds: number, seed = 1) => {
  const random = seededRandom(seed);
  return () => milliseconds * 1e6 * (0.98 + 0.04 * random());
};

const fileOf = async (services: Services, created?: string) =>
  benchFileOf([await suiteRunOf(services)], created === undefined ? {} : { created });

describe('compareBenchFiles', () => {
  it('compares the models of one run with the first, paired by round', async () => {
    const base = await fileOf({
      'a/fp32.onnx': about(2),
      'int8.onnx': about(1, 2),
      'other.onnx': about(3, 3),
    });
    const { comparisons, differences } = unwrap(compareBenchFiles({ base }));
    expect(
      comparisons.map(({ base: of, candidate, speedUp, paired }) => [
        of.variant,
        candidate.variant,
        speedUp.outcome,
        paired,
      ]),
    ).toEqual([
      ['a/fp32.onnx', 'int8.onnx', 'faster', true],
      ['a/fp32.onnx', 'other.onnx', 'slower', true],
    ]);
    expect(comparisons[0]?.speedUp.ratio).toBeCloseTo(2, 1);
    expect(comparisons[0]?.percentiles.map(({ percentile }) => percentile)).toEqual([50, 75, 90, 95]);
    expect(differences).toEqual([]);
  });

  it('chooses models by their names, with or without the folder', async () => {
    const base = await fileOf({
      'a/fp32.onnx': about(2),
      'int8.onnx': about(1, 2),
      'other.onnx': about(3, 3),
    });
    const chosen = unwrap(compareBenchFiles({ base, baseModel: 'int8.onnx', candidateModel: 'fp32.onnx' }));
    expect(chosen.comparisons.map((of) => [of.base.variant, of.candidate.variant])).toEqual([
      ['int8.onnx', 'a/fp32.onnx'],
    ]);
    expect(compareBenchFiles({ base, candidateModel: 'int4.onnx' })).toMatchObject({
      ok: false,
      error: { kind: 'unknown-model', hint: 'it has a/fp32.onnx, int8.onnx, other.onnx' },
    });
  });

  it('compares the only models of two runs whatever they are called, unpaired', async () => {
    const base = await fileOf({ 'old.onnx': about(2) }, '2026-01-01');
    const candidate = await fileOf({ 'new.onnx': about(1, 2) }, '2026-01-02');
    const { comparisons } = unwrap(compareBenchFiles({ base, candidate }));
    expect(comparisons).toMatchObject([
      {
        paired: false,
        speedUp: { outcome: 'faster', pairedRounds: 0, base: 'old.onnx', candidate: 'new.onnx' },
      },
    ]);
  });

  it('matches models of one name, and says where none has its like', async () => {
    const base = await fileOf({ 'x/a.onnx': about(2), 'x/b.onnx': about(2, 2) }, '2026-01-01');
    const candidate = await fileOf({ 'y/b.onnx': about(1, 3), 'y/c.onnx': about(1, 4) }, '2026-01-02');
    const { comparisons } = unwrap(compareBenchFiles({ base, candidate }));
    expect(comparisons.map((of) => [of.base.variant, of.candidate.variant])).toEqual([
      ['x/b.onnx', 'y/b.onnx'],
    ]);
    const strangers = await fileOf({ 'd.onnx': about(1, 3), 'e.onnx': about(1, 4) }, '2026-01-02');
    expect(compareBenchFiles({ base, candidate: strangers })).toMatchObject({
      ok: false,
      error: { kind: 'nothing-to-compare', hint: expect.stringContaining('--candidate from d.onnx, e.onnx') },
    });
  });

  it('pairs two models of one file that is named twice', async () => {
    const base = await fileOf({ a: about(2), b: about(1, 2) });
    const twice = unwrap(compareBenchFiles({ base, candidate: base, baseModel: 'a', candidateModel: 'b' }));
    expect(twice.comparisons).toMatchObject([{ paired: true, speedUp: { outcome: 'faster' } }]);
  });

  it('refuses to compare different scenarios', async () => {
    const base = await fileOf({ a: about(2) });
    const candidate = await benchFileOf([await suiteRunOf({ a: about(2) }, { scenario: 'offline' })]);
    expect(compareBenchFiles({ base, candidate })).toMatchObject({
      ok: false,
      error: {
        kind: 'scenarios-differ',
        message: expect.stringContaining('the first file measured single-stream, the second offline'),
      },
    });
  });

  it('matches measurements by name among several of one scenario', async () => {
    const at = (ratePerSecond: number, name: string) =>
      suiteRunOf({ a: about(1) }, { scenario: 'server', ratePerSecond }, { suite: 's', name });
    const base = await benchFileOf([await at(100, 'calm'), await at(500, 'busy')], { created: '2026-01-01' });
    const candidate = await benchFileOf([await at(510, 'busy')], { created: '2026-01-02' });
    const { comparisons } = unwrap(compareBenchFiles({ base, candidate }));
    expect(comparisons.map(({ measurement, differences }) => [measurement, differences])).toEqual([
      ['busy', ['ratePerSecond: 500, then 510']],
    ]);
  });

  it('says that there is nothing to compare one model with', async () => {
    expect(compareBenchFiles({ base: await fileOf({ a: about(2) }) })).toMatchObject({
      ok: false,
      error: { kind: 'nothing-to-compare', hint: expect.stringContaining('name a second file') },
    });
  });

  it('lists what differs between two runs, and nothing that does not', async () => {
    const base = await benchFileOf([await suiteRunOf({ 'a.onnx': about(1) })]);
    const later = { ...base, created: '2026-02-01' };
    expect(unwrap(compareBenchFiles({ base, candidate: later })).differences).toEqual([]);
    const host = { ...base.host, kernel: 'Linux 6.1', cpuFeatures: [], memoryTotalBytes: 2 ** 35 };
    const models = base.models.map((model) => ({ ...model, digest: 'b'.repeat(64) }));
    expect(unwrap(compareBenchFiles({ base, candidate: { ...later, host, models } })).differences).toEqual([
      'kernel: Linux 6.0, then Linux 6.1',
      'instruction sets: avx2, then none',
      'memory: 16.0 GiB, then 32.0 GiB',
      'a.onnx is another file: aaaaaaaaaaaa…, then bbbbbbbbbbbb…',
    ]);
  });
});
