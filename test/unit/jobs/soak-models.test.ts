import { describe, expect, it } from 'vitest';
import { benchSettings } from '../../../src/benchmark/settings.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { soakModels } from '../../../src/jobs/soak-models.ts';
import { fakeWorker } from '../../support/fake-worker.ts';
import { unwrap } from '../../support/unwrap.ts';

const ROUNDS = 21;

const request = (...names: string[]) => ({
  model: names[0] ?? '',
  variants: names.map((name) => ({ variant: name, path: `/models/${name}.onnx` })),
  data: { spec: { path: '/data.npz' }, split: 'eval' },
  threads: 1,
  settings: unwrap(benchSettings({ scenario: 'closed-loop', rounds: ROUNDS, minQueries: 1 })),
});

/** With a lock of its own: a benchmark beside the tests must not keep them waiting. */
const deps = () => ({ clock: systemClock });

describe('soakModels', () => {
  it('suspects a leak of a process that keeps more memory after every window, and of no other', async () => {
    const told: string[] = [];
    const results = await soakModels(request('good', 'leaks'), {
      host: fakeWorker(),
      ...deps(),
      onProgress: (variant, done, total) => told.push(`${variant} ${done} of ${total}`),
    });
    const memory = results.map(({ creep }) => creep.find(({ figure }) => figure === 'resident-memory'));
    expect(memory.map((creep) => creep?.outcome)).toEqual(['steady', 'creeps']);
    // 4 MiB in each window of 0.1 s.
    const mebibytesPerHour = (memory[1]?.perHour?.estimate ?? 0) / 2 ** 20;
    expect(mebibytesPerHour / (4 * 36_000)).toBeGreaterThan(0.8);
    expect(mebibytesPerHour / (4 * 36_000)).toBeLessThan(1.2);
    expect(told[0]).toBe('good 0 of 42');
    expect(told.at(-1)).toBe('leaks 42 of 42');
  });

  it('keeps what a process told before it died, and goes on with the next', async () => {
    const results = await soakModels(request('dies-in-round', 'good'), {
      host: fakeWorker(),
      ...deps(),
    });
    expect(results[0]).toMatchObject({ windows: [], failure: { kind: 'worker-killed' } });
    expect(results[1]).toMatchObject({ failure: null });
    expect(results[1]?.windows).toHaveLength(ROUNDS);
  });

  it('begins with no other model once it is cancelled', async () => {
    const abort = new AbortController();
    const results = await soakModels(request('good', 'second'), {
      host: fakeWorker(),
      ...deps(),
      signal: abort.signal,
      onProgress: (_variant, done) => {
        if (done === 5) abort.abort();
      },
    });
    expect(results).toMatchObject([{ variant: 'good', failure: { kind: 'bench-cancelled' } }]);
    expect(results[0]?.windows).toHaveLength(5);
  });
});
