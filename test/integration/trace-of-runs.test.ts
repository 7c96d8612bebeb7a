import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { attemptAsync } from '../../src/core/problem.ts';
import { tryDevice } from '../../src/jobs/device-trial.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import { buildTrace } from '../../src/trace/build-trace.ts';
import { publishTrace } from '../../src/trace/publish.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { waveConstant } from '../support/constants.ts';
import { graph, model, node, value } from '../support/graph-builder.ts';
import { findRealModels, skipWithoutRealModels } from '../support/real-models.ts';
import { type ProfileSum, type RecordedRuns, recordRuns } from '../support/record-runs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { eventsOf, lineNamed, nested, planeNamed } from '../support/trace-events.ts';
import { findTracePython, readTrace, TRACE_VIEWERS } from '../support/trace-viewers.ts';
import { unwrap } from '../support/unwrap.ts';

// Traces of real sessions: everything must add up to what ONNX Runtime itself wrote.

function traceOf(...runs: readonly RecordedRuns[]): Trace {
  return buildTrace({
    parts: runs.map(({ traced }) => traced),
    phases: [],
    host: { hostname: 'host', nowNs: systemClock.nowNs(), wallMs: systemClock.wallMs() },
    warnings: [],
  });
}

/** What the operators of a thread's line add up to, by the names that the model gives them. */
function sumsOf(trace: Trace, thread: string): ReadonlyMap<string, ProfileSum> {
  const plane = planeNamed(trace, '/host:CPU');
  const sums = new Map<string, ProfileSum>();
  for (const { name, kind, startNs, endNs } of nested(eventsOf(plane, lineNamed(plane, thread)))) {
    const of = kind.stats?.['node'];
    if (typeof of !== 'string' || !name.includes(':')) continue;
    const { occurrences = 0, totalUs = 0 } = sums.get(of) ?? {};
    sums.set(of, {
      op: kind.displayName ?? '',
      occurrences: occurrences + 1,
      totalUs: totalUs + (endNs - startNs) / 1000,
    });
  }
  return sums;
}

/** Operations in one request, by its operators. */
function flopsOf(trace: Trace, thread: string): number {
  const plane = planeNamed(trace, '/host:CPU');
  const events = eventsOf(plane, lineNamed(plane, thread));
  const requests = events.filter(({ name }) => name === 'SessionRun').length;
  const total = events.reduce((sum, { name, kind }) => {
    const flops = kind.stats?.['FLOPs'];
    return typeof flops === 'object' && 'int' in flops && name.includes(':') ? sum + flops.int : sum;
  }, 0);
  return total / requests;
}

/** A small net with names that tools stumble over. */
function writeOddNames(): string {
  const names = ['/block/conv:0', '/卷积/😀', 'say "no"', '_under score', 'a\\b'];
  const nodes = names.map((name, index) =>
    node(
      'MatMul',
      [index === 0 ? 'x' : `t${index}`, 'w'],
      [index === 4 ? 'y' : `t${index + 1}`],
      {},
      { name },
    ),
  );
  const made = model(
    graph({
      inputs: [value('x', 'float', [1, 64])],
      nodes,
      outputs: [value('y')],
      initializers: [waveConstant('w', [64, 64])],
    }),
  );
  const path = join(temporaryFolder(), 'model.onnx');
  unwrap(writeModel(made, path));
  return path;
}

const models = findRealModels();
const real = (...parts: readonly string[]) => join(models.directory ?? '', ...parts);

/** With the multiply-adds of a request in millions: as published, as far as the runtime does no more. */
const REAL_MODELS = [
  // 300 published; 16 channels at a time make 24 of them 32.
  { name: 'mobilenetv2', path: real('mobilenetv2_imagenet', 'mobilenetv2.onnx'), least: 300, most: 320 },
  { name: 'squeezenet1.1', path: real('squeezenet1_1', 'squeezenet1_1.onnx'), least: 349, most: 355 },
  { name: 'resnet20', path: real('resnet20_cifar10', 'resnet20.onnx'), least: 40.5, most: 41.5 },
];

describe('the trace of a real model', () => {
  skipWithoutRealModels(models);

  it.skipIf(models.directory === undefined).each(REAL_MODELS)(
    'adds up to what the runtime says, and to the work that is published: $name',
    async ({ name, path, least, most }) => {
      const runs = await recordRuns(path, { modelId: name, requests: 3 });
      const trace = traceOf(runs);
      expect(sumsOf(trace, `bench ${name}`)).toEqual(runs.sums);
      const millions = flopsOf(trace, `bench ${name}`) / 2e6;
      expect(millions).toBeGreaterThan(least);
      expect(millions).toBeLessThan(most);
    },
  );

  it.skipIf(models.directory === undefined)('has the operators of bodies, and helpers', async () => {
    const runs = await recordRuns(real('silero_vad', 'silero_vad_16k_op15.onnx'), {
      modelId: 'silero',
      feeds: SILERO_FEEDS,
      requests: 5,
      threads: 2,
    });
    const trace = traceOf(runs);
    expect(sumsOf(trace, 'bench silero')).toEqual(runs.sums);
    const plane = planeNamed(trace, '/host:CPU');
    const events = nested(eventsOf(plane, lineNamed(plane, 'bench silero')));
    const inBodies = events.filter(({ depth, name }) => depth > 3 && name.includes(':'));
    expect(new Set(inBodies.map(({ kind }) => kind.displayName))).toContain('LSTM');
  });
});

const SILERO_FEEDS = {
  input: { type: 'float32', dims: [1, 576], data: new Float32Array(576).map((_, at) => Math.sin(at)) },
  state: { type: 'float32', dims: [2, 1, 128], data: new Float32Array(256) },
  sr: { type: 'int64', dims: [], data: BigInt64Array.of(16000n) },
} as const;

const noWebGpu = await attemptAsync(() =>
  tryDevice({ kind: 'device-trial', device: 'webgpu' }, { clock: systemClock }),
);

describe('the trace of a WebGPU session', () => {
  if (!noWebGpu.ok) {
    it(`is not tested: ${noWebGpu.error.message}`, (context) => context.skip(noWebGpu.error.message));
    return;
  }

  it('has a kernel for each shader, within the run that launched it', { timeout: 180_000 }, async () => {
    const runs = await recordRuns(writeOddNames(), { modelId: 'odd', requests: 4, device: 'webgpu' });
    const trace = traceOf(runs);
    expect(sumsOf(trace, 'bench odd')).toEqual(runs.sums);
    const gpu = planeNamed(trace, '/device:GPU:0');
    const kernels = gpu.lines
      .flatMap((line) => eventsOf(gpu, line))
      .filter(({ kind }) => kind.stats?.['tf_op'] !== undefined);
    expect(kernels).toHaveLength(runs.shaders.length);
    expect(kernels.length).toBeGreaterThan(0);
    expect(kernels.reduce((sum, { startNs, endNs }) => sum + endNs - startNs, 0) / 1000).toBe(
      runs.shaders.reduce((sum, { dur }) => sum + dur, 0),
    );
    const host = planeNamed(trace, '/host:CPU');
    const requests = eventsOf(host, lineNamed(host, 'bench odd')).filter(({ stats }) => stats['_r'] === 1);
    for (const { startNs, endNs } of kernels) {
      expect(requests.some((request) => request.startNs <= startNs && endNs <= request.endNs)).toBe(true);
    }
  });
});

const found = findTracePython();
/** Viewers take long to start on a busy host. */
const VIEWER_TIME = { timeout: 300_000 };
/** xprof takes neither the first nor the last step for a whole one. */
const STEPS_LEFT_OUT = { tensorflow: 0, xprof: 2 } as const;

describe.each(TRACE_VIEWERS)('traces of real sessions in the tools of %s', { timeout: 180_000 }, (viewer) => {
  if ('reason' in found) {
    it(`are not tested: ${found.reason}`, (context) => context.skip(found.reason));
    return;
  }
  const { python } = found;

  async function open(trace: Trace) {
    const logdir = temporaryFolder();
    const { xspaceFile } = unwrap(await publishTrace(trace, { logdir, startedAt: new Date() }));
    return readTrace(python, viewer, xspaceFile);
  }

  it('have a step and a request a query, and operators of any name that add up', VIEWER_TIME, async () => {
    const path = writeOddNames();
    const fp32 = await recordRuns(path, { modelId: 'odd:fp32', requests: 20 });
    const int8 = await recordRuns(path, { modelId: 'odd:int8', requests: 30 });
    const seen = await open(traceOf(fp32, int8));
    expect(seen.inference_profile).toEqual({ 'odd:fp32': 20, 'odd:int8': 30 });
    expect(seen.input_pipeline_analyzer).toBe(50 - STEPS_LEFT_OUT[viewer]);
    for (const [short, { sums }] of [
      ['fp32', fp32],
      ['int8', int8],
    ] as const) {
      const operators = Object.entries(seen.framework_op_stats.Host).filter(([name]) =>
        name.startsWith(short),
      );
      expect(operators).toHaveLength(5);
      const totalUs = operators.reduce((sum, [, operator]) => sum + operator.totalUs, 0);
      const expectedUs = [...sums.values()].reduce((sum, operator) => sum + operator.totalUs, 0);
      expect(Math.abs(totalUs - expectedUs)).toBeLessThanOrEqual(expectedUs / 1000);
      const [first] = sums.values();
      expect(operators.map(([, { occurrences }]) => occurrences)).toEqual(Array(5).fill(first?.occurrences));
    }
    if (viewer === 'tensorflow') expect(seen).toMatchObject({ warnings: [], errors: [] });
  });

  it.skipIf(models.directory === undefined)(
    'have 50 of mobilenetv2, and its memory',
    VIEWER_TIME,
    async () => {
      const path = real('mobilenetv2_imagenet', 'mobilenetv2.onnx');
      const runs = await recordRuns(path, { modelId: 'mobilenetv2', requests: 50 });
      const seen = await open(traceOf(runs));
      expect(seen.inference_profile).toEqual({ mobilenetv2: 50 });
      expect(seen.input_pipeline_analyzer).toBe(50 - STEPS_LEFT_OUT[viewer]);
      const operators = Object.values(seen.framework_op_stats.Host).filter(({ type }) => type !== '');
      const total = (list: readonly { readonly totalUs: number }[]) =>
        list.reduce((sum, { totalUs }) => sum + totalUs, 0);
      expect(operators.filter(({ type }) => type !== 'IDLE').map(({ occurrences }) => occurrences)).toEqual(
        [...runs.sums].map(() => 50),
      );
      const expectedUs = total([...runs.sums.values()]);
      expect(Math.abs(total(operators.filter(({ type }) => type !== 'IDLE')) - expectedUs)).toBeLessThan(
        expectedUs / 1000,
      );
      const [course = []] = Object.values(seen.memory_profile);
      expect(course.length).toBeGreaterThan(10);
    },
  );
});
