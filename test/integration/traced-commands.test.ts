import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { attemptAsync } from '../../src/core/problem.ts';
import { tryDevice } from '../../src/jobs/device-trial.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import { waveConstant } from '../support/constants.ts';
import { graph, model, node, value } from '../support/graph-builder.ts';
import { DIGITS_DATA, DIGITS_MODEL, isBuilt, runProgram } from '../support/program.ts';
import { findRealModels, listRealModels, skipWithoutRealModels } from '../support/real-models.ts';
import { writeSileroData } from '../support/silero-vad.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { findTracePython, readTrace, TRACE_VIEWERS, type TraceFound } from '../support/trace-viewers.ts';
import { unwrap } from '../support/unwrap.ts';
import { float32Npy, npz } from '../unit/data/npz-writer.ts';

// From the command to the page: traces that `bench --trace` left, opened with what people open them with.

const QUERIES = 50;
/** Collectors that every host has, by what their tracks are called. */
const METERS = [/^CPU busy %$/, /^RAM used MiB$/, /^process \d+ RSS MiB$/];

const found = findTracePython();
const models = findRealModels();
const silero = listRealModels(models).find(({ name }) => name === 'silero_vad_16k_op15.onnx');
const noWebGpu = await attemptAsync(() =>
  tryDevice({ kind: 'device-trial', device: 'webgpu' }, { clock: systemClock }),
);

interface Traced {
  readonly file: string;
  /** Of each model, in the order of the command. */
  readonly queries: readonly number[];
}

/** Benchmarks models with a trace of at most so many queries of each. */
async function benchTraced(queries: number, ...args: readonly string[]): Promise<Traced> {
  const load = ['--duration', '300ms', '--rounds', '1', '--threads', '1', '--json'];
  const trace = ['--trace', '--trace-queries', `${queries}`, '--logdir', temporaryFolder()];
  const { code, stdout, stderr } = await runProgram(['bench', ...args, ...load, ...trace]);
  // On a busy host a result is invalid, and its trace is as good.
  expect([0, 1], stderr).toContain(code);
  const results = JSON.parse(stdout) as readonly {
    readonly trace: { readonly path: string; readonly queries: number };
  }[];
  return {
    file: results[0]?.trace.path ?? '',
    queries: results.map((result) => result.trace.queries),
  };
}

async function quantized(model: string, data: string, ...more: readonly string[]): Promise<string> {
  const output = join(temporaryFolder(), 'int8.onnx');
  const options = [
    '--recipe',
    'static-int8',
    '--calibration',
    data,
    '--samples',
    '8',
    '--latency-gate',
    'off',
  ];
  const { code, stderr } = await runProgram(['quantize', model, '-o', output, ...options, ...more]);
  expect(code, stderr).toBe(0);
  return output;
}

/** A model that runs fast on software that stands in for a GPU, with names that tools stumble over. */
function writeSmallConv(): { readonly path: string; readonly data: string } {
  const made = model(
    graph({
      inputs: [value('x', 'float', [1, 1, 8, 8])],
      nodes: [
        node('Conv', ['x', 'w'], ['t'], {}, { name: '/block:0/畳み込み/Conv' }),
        node('Sigmoid', ['t'], ['y'], {}, { name: '/block:0/Sigmoid' }),
      ],
      outputs: [value('y')],
      initializers: [waveConstant('w', [4, 1, 3, 3])],
    }),
  );
  const folder = temporaryFolder();
  const path = join(folder, 'conv.onnx');
  const data = join(folder, 'conv.npz');
  unwrap(writeModel(made, path));
  const samples = float32Npy(
    [2, 1, 8, 8],
    Array.from({ length: 128 }, (_, place) => Math.sin(place)),
  );
  writeFileSync(data, npz({ 'eval/x': samples }));
  return { path, data };
}

describe.skipIf(!isBuilt)('a traced benchmark', () => {
  if ('reason' in found) {
    it(`is not tested: ${found.reason}`, (context) => context.skip(found.reason));
    return;
  }

  const { python } = found;

  /** What each viewer finds in a trace. */
  async function openInAll(file: string): Promise<readonly TraceFound[]> {
    const seen = await Promise.all(TRACE_VIEWERS.map((viewer) => readTrace(python, viewer, file)));
    expect(seen[0]).toMatchObject({ warnings: [], errors: [] });
    return seen;
  }

  it('has the steps, requests, operators, memory and meters of float32 and of int8 side by side', {
    timeout: 300_000,
  }, async () => {
    const int8 = await quantized(DIGITS_MODEL, DIGITS_DATA);
    const { file, queries } = await benchTraced(QUERIES, DIGITS_MODEL, int8, '--data', DIGITS_DATA);
    expect(queries).toEqual([QUERIES, QUERIES]);
    for (const seen of await openInAll(file)) {
      expect(Object.values(seen.inference_profile)).toEqual(queries);
      expect(Object.values(seen['trace_viewer@'].steps)).toEqual(expect.arrayContaining([QUERIES, QUERIES]));
      const operators = Object.values(seen.framework_op_stats.Host).filter(({ type }) => type !== '');
      expect(new Set(operators.map(({ occurrences }) => occurrences))).toEqual(new Set([QUERIES]));
      expect(operators.map(({ type }) => type)).toContain('QLinearConv');
      expect(Object.keys(seen.memory_profile)).toHaveLength(2);
      const tracks = Object.keys(seen['trace_viewer@'].counters);
      for (const meter of METERS) expect(tracks).toContainEqual(expect.stringMatching(meter));
    }
  });

  it.skipIf(!noWebGpu.ok)('has the kernels of WebGPU', { timeout: 300_000 }, async () => {
    const { path, data } = writeSmallConv();
    const device = ['--device', 'webgpu'];
    const { file, queries } = await benchTraced(QUERIES, path, '--data', data, ...device);
    expect(queries).toEqual([QUERIES]);
    for (const seen of await openInAll(file)) {
      expect(Object.values(seen.inference_profile)).toEqual(queries);
      expect(seen.tool_names).toContain('kernel_stats');
      expect(seen.kernel_stats.length).toBeGreaterThan(0);
      expect(Object.values(seen.framework_op_stats.Device).map(({ type }) => type)).toContain('Conv');
    }
  });

  skipWithoutRealModels(models);
  it.skipIf(silero === undefined)('has the operators in the bodies of If', { timeout: 300_000 }, async () => {
    const speech = silero?.path ?? '';
    const data = join(temporaryFolder(), 'silero.npz');
    writeSileroData(dirname(speech), data);
    const states = ['--state', 'stateN=state'];
    const { file, queries } = await benchTraced(QUERIES, speech, '--data', data, ...states);
    expect(queries).toEqual([QUERIES]);
    for (const seen of await openInAll(file)) {
      expect(Object.values(seen.inference_profile)).toEqual(queries);
      const types = Object.values(seen.framework_op_stats.Host).map(({ type }) => type);
      expect(types).toEqual(expect.arrayContaining(['If', 'LSTM', 'Conv']));
    }
  });
});
