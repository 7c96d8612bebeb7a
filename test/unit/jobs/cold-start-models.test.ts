import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { type ColdStartRequest, coldStartModels } from '../../../src/jobs/cold-start-models.ts';
import { fakeWorker } from '../../support/fake-worker.ts';

const named = (name: string) => ({ variant: name, path: `/models/${name}.onnx` });

function request(...names: string[]): ColdStartRequest {
  return {
    model: names[0] ?? '',
    variants: names.map(named),
    data: { spec: { path: '/data.npz' }, split: 'eval' },
    threads: 1,
    device: 'cpu',
    repetitions: 4,
    maxRunSeconds: 1,
    seed: 1,
  };
}

/** With a lock of its own: a benchmark beside the tests must not keep them waiting. */
const deps = () => ({ clock: systemClock });

describe('coldStartModels', () => {
  it('starts models by turns, in a process each time, and compares them', async () => {
    const pids = new Set<number>();
    const told: string[] = [];
    const worker = fakeWorker();
    const host = { entry: worker.entry, onSpawn: (pid: number) => void pids.add(pid) };
    const results = await coldStartModels(request('fast', 'slow'), {
      host,
      ...deps(),
      onProgress: (_variant, done, total) => told.push(`${done} of ${total}`),
    });
    expect(pids.size).toBe(8);
    expect(told).toEqual(Array.from({ length: 9 }, (_, done) => `${done} of 8`));
    const order = worker.requests().map((line) => (line.endsWith('fast.onnx') ? 'f' : 's'));
    expect(order.join('')).toMatch(/^(?:fssf|sffs){2}$/);
    expect(results.map(({ repetitions }) => repetitions.map(({ repetition }) => repetition))).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2, 3],
    ]);
    const [fast, slow] = results;
    expect(fast).toMatchObject({
      variant: 'fast',
      provider: 'CPUExecutionProvider',
      threads: 1,
      ratios: null,
    });
    expect(slow?.ratios?.find(({ figure }) => figure === 'modelSeconds')?.ratio).toBeCloseTo(2, 9);
  });

  it('adds the start of the process up with what the process told, without its feeds', async () => {
    const [result] = await coldStartModels(request('fast'), { host: fakeWorker(), ...deps() });
    const [first] = result?.repetitions ?? [];
    const processSeconds = first?.processSeconds ?? 0;
    expect(processSeconds).toBeGreaterThan(0.005);
    expect(processSeconds).toBeLessThan(60);
    expect(first?.firstAnswerSeconds).toBeCloseTo(processSeconds + 0.05 + 100 + 0.02, 9);
    expect(first).not.toHaveProperty('takenNs');
  });

  it('takes the turns from a model that fails, and goes on with the others', async () => {
    const worker = fakeWorker();
    const results = await coldStartModels(request('refuse', 'fast'), { host: worker, ...deps() });
    expect(results[0]).toMatchObject({ repetitions: [], figures: null, failure: { kind: 'not-onnx' } });
    expect(results[1]?.repetitions).toHaveLength(4);
    expect(worker.requests().filter((line) => line.endsWith('refuse.onnx'))).toHaveLength(1);
  });

  it('keeps the starts before a cancellation', async () => {
    const abort = new AbortController();
    const onProgress = (_variant: string, done: number) => {
      if (done === 2) abort.abort();
    };
    const [result] = await coldStartModels(request('fast'), {
      host: fakeWorker(),
      ...deps(),
      signal: abort.signal,
      onProgress,
    });
    expect(result).toMatchObject({ failure: { kind: 'cancelled' } });
    expect(result?.repetitions).toHaveLength(2);
  });
});
