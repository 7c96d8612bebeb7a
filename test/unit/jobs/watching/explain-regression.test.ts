import { describe, expect, it } from 'vitest';
import { explainRegression } from '../../../../src/jobs/watching/explain-regression.ts';
import type { SeriesChange } from '../../../../src/store/watched.ts';
import { profileOf } from '../../../support/profile.ts';

const [BEFORE, NOW] = ['ab'.repeat(32), 'cd'.repeat(32)];

function regressed(
  more: Partial<SeriesChange['key']> = {},
  artifacts: readonly (string | null)[] = [BEFORE, NOW],
) {
  const [before, now] = artifacts.map((artifact) => ({
    run: 'R',
    data: 'd',
    outputs: 'o',
    value: 1,
    artifact,
  }));
  return {
    key: {
      ...{ kind: 'accuracy', model: 'm', variant: 'int8', suite: '', measurement: '', device: '', host: 'h' },
      ...more,
    },
    state: 'regressed',
    memory: { format: 1, watch: { baseline: before, last: now }, good: null, drop: null },
    atMs: 1,
    events: [{ kind: 'state', detail: { reason: '', causes: [] } }],
  } as SeriesChange;
}

/** How often a worker would have been started, and what was held to the end. */
async function tried(change: SeriesChange, known: readonly string[] = [BEFORE, NOW]) {
  const held: string[] = [];
  let starts = 0;
  const found = await explainRegression(change, profileOf('m'), {
    store: {
      findArtifact: (hash) => (known.includes(hash) ? ({ path: `/${hash}.onnx` } as never) : undefined),
      holdArtifact: (hash) => {
        held.push(hash);
        return () => void held.splice(held.indexOf(hash), 1);
      },
    },
    host: {
      get entry(): never {
        starts += 1;
        throw new Error('a worker was wanted');
      },
    },
    signal: AbortSignal.abort(),
    nowMs: () => 2,
  }).catch(() => 'a worker was wanted');
  expect(held).toEqual([]);
  return { found, starts };
}

describe('finding the layers that moved', () => {
  it('asks a worker where a quantized variant has just regressed and both artifacts are there', async () => {
    expect(await tried(regressed())).toEqual({ found: 'a worker was wanted', starts: 1 });
  });

  it.each([
    ['of fp32, whose old file nobody keeps', regressed({ variant: 'fp32' })],
    ['of latency', regressed({ kind: 'latency' })],
    ['that was known before', { ...regressed(), events: [] }],
    ['that is none', { ...regressed(), state: 'suspected' }],
    ['of the very artifact of the baseline', regressed({}, [BEFORE, BEFORE])],
    ['without artifacts', regressed({}, [null, NOW])],
  ])('asks nobody for a regression %s', async (_, change) => {
    expect(await tried(change)).toEqual({ found: undefined, starts: 0 });
  });

  it('asks nobody where an artifact is gone', async () => {
    expect(await tried(regressed(), [NOW])).toEqual({ found: undefined, starts: 0 });
  });
});
