import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { BenchSettings } from '../../src/benchmark/settings.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type BenchDeps, benchVariants } from '../../src/jobs/bench-variants.ts';
import type { BenchRequest } from '../../src/jobs/variant-sut.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import { writeClassifier, writeSamples } from '../support/evaluated-models.ts';
import { graph, model, node, tensor, value } from '../support/graph-builder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';
import { settingsOf } from '../unit/benchmark/fakes.ts';

const ENTRY = new URL('../../dist/jobs/worker-main.js', import.meta.url);
const isBuilt = existsSync(fileURLToPath(ENTRY));

/** Multiplies large matrices so often that a query takes some seconds on any host. */
function writeSlowModel(folder: string): string {
  const path = join(folder, 'slow.onnx');
  const size = 1024;
  const steps = Array.from({ length: 60 }, (_, step) => node('MatMul', [`h${step}`, 'w'], [`h${step + 1}`]));
  const body = graph({
    inputs: [value('x', 'float', ['batch', 2])],
    nodes: [
      node('ReduceSum', ['x'], ['sum'], { keepdims: 0 }),
      node('Mul', ['w', 'sum'], ['h0']),
      ...steps,
      node('ReduceMax', [`h${steps.length}`], ['y'], { keepdims: 0 }),
    ],
    outputs: [value('y', 'float', [])],
    initializers: [tensor('w', [size, size], new Array<number>(size * size).fill(1e-3))],
  });
  unwrap(writeModel(model(body, { opset: 17 }), path));
  return path;
}

/** Fills a gibibyte in every query. */
function writeGreedyModel(folder: string): string {
  const path = join(folder, 'greedy.onnx');
  const body = graph({
    inputs: [value('x', 'float', ['batch', 2])],
    nodes: [
      node('ReduceSum', ['x'], ['sum'], { keepdims: 0 }),
      node('Expand', ['sum', 'shape'], ['all']),
      node('ReduceMax', ['all'], ['y'], { keepdims: 0 }),
    ],
    outputs: [value('y', 'float', [])],
    initializers: [tensor('shape', [1], [2 ** 28], 'int64')],
  });
  unwrap(writeModel(model(body, { opset: 17 }), path));
  return path;
}

const weights = [
  [1, 0],
  [0, 1],
] as const;

async function run(
  path: string,
  folder: string,
  {
    settings = {},
    request = {},
    deps = {},
  }: {
    readonly settings?: Partial<BenchSettings>;
    readonly request?: Partial<BenchRequest>;
    readonly deps?: Partial<BenchDeps>;
  },
) {
  const data = { spec: { path: writeSamples(folder, 'data.npz', [[1, 2]]) }, split: 'eval' };
  return benchVariants(
    {
      model: 'model',
      variants: [{ variant: 'only', path }],
      data,
      threads: 1,
      settings: settingsOf({ minDurationSeconds: 30, ...settings }),
      ...request,
    },
    { host: { entry: ENTRY }, clock: systemClock, ...deps },
  );
}

/** Does something once measuring is under way, so many milliseconds later. */
function whenMeasuring(milliseconds: number, action: () => void): NonNullable<BenchDeps['onProgress']> {
  let isSet = false;
  return ({ stage }) => {
    if (stage !== 'measure' || isSet) return;
    isSet = true;
    setTimeout(action, milliseconds);
  };
}

describe.skipIf(!isBuilt)('a benchmark that is disturbed', () => {
  it('keeps what was measured when its worker is killed in the middle of a round', async () => {
    const folder = temporaryFolder();
    let pid = 0;
    const onSpawn = (spawned: number) => {
      pid = spawned;
    };
    const { results, cancelled } = await run(writeClassifier(folder, 'model.onnx', weights), folder, {
      settings: { rounds: 1, maxWarmUpSeconds: 1 },
      deps: {
        host: { entry: ENTRY, onSpawn },
        onProgress: whenMeasuring(3_000, () => process.kill(pid, 'SIGKILL')),
      },
    });
    expect(cancelled).toBe(false);
    expect(results[0]).toMatchObject({ valid: false, queries: expect.any(Number) });
    expect(results[0]?.queries).toBeGreaterThan(100);
    expect(results[0]?.invalidReasons[0]).toMatch(/ended by SIGKILL from outside .*\(0 of 1 rounds/);
  });

  it('ends soon when it is cancelled, and keeps what was measured', async () => {
    const folder = temporaryFolder();
    const cancel = new AbortController();
    let abortedMs = 0;
    const abort = () => {
      abortedMs = performance.now();
      cancel.abort();
    };
    const { results } = await run(writeClassifier(folder, 'model.onnx', weights), folder, {
      settings: { rounds: 1, maxWarmUpSeconds: 1 },
      deps: { signal: cancel.signal, onProgress: whenMeasuring(3_000, abort) },
    });
    expect(performance.now() - abortedMs).toBeLessThan(10_000);
    expect(results[0]?.queries).toBeGreaterThan(100);
    expect(results[0]?.invalidReasons[0]).toMatch(/^The benchmark was cancelled/);
  });

  it('gives up a model that completes nothing in the time that it may be silent', async () => {
    const folder = temporaryFolder();
    const { results } = await run(writeSlowModel(folder), folder, {
      settings: { graceSeconds: 0.5 },
    });
    expect(results[0]).toMatchObject({ valid: false, queries: 0, latencySeconds: null });
    expect(results[0]?.invalidReasons[0]).toMatch(/^only completed nothing for/);
  });

  it('does not wait for a long query when it is cancelled', async () => {
    const folder = temporaryFolder();
    const cancel = new AbortController();
    const onSpawn = () => setTimeout(() => cancel.abort(), 3_000);
    const { results } = await run(writeSlowModel(folder), folder, {
      deps: { signal: cancel.signal, host: { entry: ENTRY, onSpawn } },
    });
    expect(results[0]?.invalidReasons[0]).toMatch(/^The benchmark was cancelled/);
  });

  it('ends a model that takes more memory than it may, and says how much', async () => {
    const folder = temporaryFolder();
    const { results } = await run(writeGreedyModel(folder), folder, {
      request: { maxRssBytes: 400 * 2 ** 20 },
    });
    expect(results[0]?.valid).toBe(false);
    expect(results[0]?.invalidReasons[0]).toMatch(
      /of memory resident, more than the 400 MiB that it may have/,
    );
  });
});
