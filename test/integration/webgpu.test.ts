import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { Device } from '../../src/core/device.ts';
import { attemptAsync } from '../../src/core/problem.ts';
import type { NamedTensors, Tensor } from '../../src/core/tensor.ts';
import { benchVariants } from '../../src/jobs/bench-variants.ts';
import { checkDevice } from '../../src/jobs/check-device.ts';
import { tryDevice } from '../../src/jobs/device-trial.ts';
import { profileOnDevice } from '../../src/jobs/profile-on-device.ts';
import type { OnnxModel } from '../../src/onnx/model-file.ts';
import { eliminateDead } from '../../src/onnx/passes/eliminate-dead.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import { convertToFloat16 } from '../../src/quantization/float16/convert-to-float16.ts';
import type { Float16Recipe } from '../../src/quantization/float16/float16-recipe.ts';
import { viewGraph } from '../../src/quantization/graph-view.ts';
import { completeRecipe } from '../../src/quantization/recipe.ts';
import { quantizeWeightsOnly } from '../../src/quantization/weight-only/quantize-weights-only.ts';
import type { WeightOnlyRecipe } from '../../src/quantization/weight-only/recipe.ts';
import { type NodePlacement, nodesByProvider } from '../../src/runtime/nodes-by-provider.ts';
import { openSession, type Session } from '../../src/runtime/session.ts';
import { graph, model, node, tensor, value } from '../support/graph-builder.ts';
import { isBuilt } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';
import { settingsOf } from '../unit/benchmark/fakes.ts';

const GPU = 'WebGpuExecutionProvider';
const WORKER = { entry: new URL('../../dist/jobs/worker-main.js', import.meta.url) };

/** Why this machine cannot compute with WebGPU, or undefined where it can. */
async function missingAdapter(): Promise<string | undefined> {
  const task = { kind: 'device-trial', device: 'webgpu' } as const;
  const tried = await attemptAsync(() => tryDevice(task, { clock: systemClock }));
  return tried.ok ? undefined : tried.error.message;
}

const missing = await missingAdapter();

if (missing !== undefined) it(`WebGPU is not tested: ${missing}`, (context) => context.skip(missing));

/** Values without a regular pattern, between -1 and 1. */
function wavy(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => Math.sin(index * 1.7 + 0.3));
}

function feed(...dims: readonly number[]): NamedTensors {
  const count = dims.reduce((product, dim) => product * dim, 1);
  return { x: { type: 'float32', dims, data: Float32Array.from(wavy(count)) } };
}

function fileOf(given: OnnxModel): string {
  const path = join(temporaryFolder(), 'model.onnx');
  unwrap(writeModel(given, path));
  return path;
}

interface OnDevice {
  readonly output: Tensor;
  readonly placement: NodePlacement;
  /** Nodes that shaders ran for. */
  readonly dispatched: ReadonlySet<string>;
}

/** Runs a model once on a device, under a profile. */
async function runOn(device: Device, path: string, feeds: NamedTensors): Promise<OnDevice> {
  const settings = { device, intraOpThreads: 1, profilePrefix: join(temporaryFolder(), 'profile-') };
  const session = unwrap(await openSession(path, settings));
  try {
    const { y } = await session.run(feeds);
    const profile = unwrap(await session.endProfile());
    const dispatched = new Set(profile.dispatches.map(({ node: name }) => name));
    return { output: y as Tensor, placement: nodesByProvider(profile, device), dispatched };
  } finally {
    await session.close();
  }
}

/** With the largest difference from the CPU's output, relative to the largest value. */
async function compareWithCpu(path: string, feeds: NamedTensors) {
  const { output: expected } = await runOn('cpu', path, feeds);
  const onGpu = await runOn('webgpu', path, feeds);
  expect(onGpu.output.dims).toEqual(expected.dims);
  const wanted = Array.from(expected.data as Float32Array);
  const largest = Math.max(...wanted.map(Math.abs));
  expect(largest).toBeGreaterThan(0.1);
  const differences = wanted.map((number, index) => Math.abs(number - Number(onGpu.output.data[index])));
  return { ...onGpu, relativeError: Math.max(...differences) / largest };
}

/** x [1,3,8,8] → Conv, Relu, MaxPool → classes. */
function network(): OnnxModel {
  return model(
    graph({
      inputs: [value('x', 'float', [1, 3, 8, 8])],
      nodes: [
        node('Conv', ['x', 'kernel', 'bias'], ['features'], { pads: [1, 1, 1, 1] }, { name: 'conv' }),
        node('Relu', ['features'], ['positive'], {}, { name: 'relu' }),
        node(
          'MaxPool',
          ['positive'],
          ['pooled'],
          { kernel_shape: [2, 2], strides: [2, 2] },
          { name: 'pool' },
        ),
        node('Flatten', ['pooled'], ['flat'], {}, { name: 'flatten' }),
        node('MatMul', ['flat', 'w'], ['y'], {}, { name: 'classes' }),
      ],
      outputs: [value('y')],
      initializers: [
        tensor('kernel', [4, 3, 3, 3], wavy(108)),
        tensor('bias', [4], wavy(4)),
        tensor('w', [64, 10], wavy(640)),
      ],
    }),
  );
}

/** x [2,64] → MatMul → Relu → MatMul → y [2,16]. */
function perceptron(): OnnxModel {
  return model(
    graph({
      inputs: [value('x', 'float', [2, 64])],
      nodes: [
        node('MatMul', ['x', 'w1'], ['hidden'], {}, { name: 'first' }),
        node('Relu', ['hidden'], ['positive'], {}, { name: 'relu' }),
        node('MatMul', ['positive', 'w2'], ['y'], {}, { name: 'second' }),
      ],
      outputs: [value('y', 'float', [2, 16])],
      initializers: [tensor('w1', [64, 64], wavy(4096)), tensor('w2', [64, 16], wavy(1024))],
    }),
    { opset: 21, irVersion: 10 },
  );
}

describe.skipIf(missing !== undefined)('a model on WebGPU', { timeout: 180_000 }, () => {
  it('computes in float32 what it does on the CPU, with all its nodes on the device', async () => {
    const { relativeError, placement, dispatched } = await compareWithCpu(
      fileOf(network()),
      feed(1, 3, 8, 8),
    );
    expect(relativeError).toBeLessThan(1e-4);
    expect(dispatched).toContain('classes');
    expect(Object.keys(placement.byProvider)).toEqual([GPU]);
    expect(placement.byProvider[GPU]?.count).toBeGreaterThanOrEqual(4);
    expect(placement).toMatchObject({ fellBack: [], hostNodes: [], copiesPerRun: 0 });
  });

  it.each([
    { accuracyLevel: 0 as const, most: 1e-4, what: 'with whole products' },
    { accuracyLevel: 4 as const, most: 0.05, what: 'with activations that may be rounded to 8 bits' },
  ])('computes with INT4 weights what it does on the CPU, $what', async ({ accuracyLevel, most }) => {
    const quantized = perceptron();
    const recipe = {
      ...(completeRecipe({ format: 'weight-int4', target: 'webgpu' }) as WeightOnlyRecipe),
      accuracyLevel,
    };
    expect(unwrap(quantizeWeightsOnly(viewGraph(quantized), recipe)).quantized).toHaveLength(2);
    eliminateDead(quantized);
    const { relativeError, placement } = await compareWithCpu(fileOf(quantized), feed(2, 64));
    expect(relativeError).toBeLessThan(most);
    expect(placement.byProvider[GPU]?.nodes).toHaveLength(3);
    expect(placement.fellBack).toEqual([]);
  });

  it('computes in float16 what it does on the CPU, or says that the device has no half floats', async () => {
    const converted = network();
    const recipe = completeRecipe({ format: 'float16' }) as Float16Recipe;
    unwrap(convertToFloat16(viewGraph(converted), recipe));
    const path = fileOf(converted);
    const settings = { device: 'webgpu', intraOpThreads: 1, feeds: feed(1, 3, 8, 8) } as const;
    const profile = await attemptAsync(() => profileOnDevice(path, settings));
    if (profile.ok) {
      const { placement: placed } = profile.value;
      expect(placed.fellBack).toEqual([]);
      expect(placed.byProvider[GPU]?.nodes).toContain('classes');
      const { relativeError } = await compareWithCpu(path, feed(1, 3, 8, 8));
      expect(relativeError).toBeLessThan(0.02);
    } else {
      expect(profile.error).toMatchObject({
        kind: expect.stringMatching(/^(inference-failed|model-rejected-by-runtime)$/),
        message: expect.stringContaining('requires f16'),
        hint: expect.stringContaining('cannot compute float16 models'),
      });
    }
  });

  it('shows the operator that the device has no kernel for', async () => {
    const nodes = [
      node('Abs', ['x'], ['a'], {}, { name: 'abs' }),
      node('Hardmax', ['a'], ['h'], {}, { name: 'hardmax' }),
      node('Sqrt', ['h'], ['y'], {}, { name: 'root' }),
    ];
    const path = fileOf(
      model(graph({ inputs: [value('x', 'float', [1, 4])], nodes, outputs: [value('y')] })),
    );
    expect((await compareWithCpu(path, feed(1, 4))).relativeError).toBeLessThan(1e-6);
    expect(await profileOnDevice(path, { device: 'webgpu', intraOpThreads: 1, feeds: feed(1, 4) })).toEqual({
      placement: {
        byProvider: {
          [GPU]: { count: 2, nodes: ['abs', 'root'] },
          CPUExecutionProvider: { count: 1, nodes: ['hardmax'] },
        },
        fellBack: [{ node: 'hardmax', op: 'Hardmax', provider: 'CPUExecutionProvider' }],
        hostNodes: [],
        copiesPerRun: 2,
      },
      // The arena of the operator on the CPU is not that of the device, of which the runtime tells nothing.
      arenaBytes: null,
    });
  });

  it('may leave the arithmetic on its shapes to the host', async () => {
    const nodes = [
      node('Shape', ['x'], ['shape']),
      node('Gather', ['shape', 'zero'], ['rows']),
      node('Mul', ['rows', 'two'], ['more']),
      node('Unsqueeze', ['more', 'axis'], ['first']),
      node('Concat', ['first', 'rest'], ['wanted'], { axis: 0 }),
      node('Reshape', ['x', 'wanted'], ['reshaped']),
      node('Relu', ['reshaped'], ['y']),
    ];
    const initializers = [
      tensor('zero', [], [0], 'int64'),
      tensor('two', [], [2], 'int64'),
      tensor('axis', [1], [0], 'int64'),
      tensor('rest', [1], [-1], 'int64'),
    ];
    const inputs = [value('x', 'float', ['n', 4])];
    const path = fileOf(model(graph({ inputs, nodes, outputs: [value('y')], initializers })));
    const { relativeError, placement } = await compareWithCpu(path, feed(3, 4));
    expect(relativeError).toBe(0);
    expect(placement.fellBack).toEqual([]);
    const onHost = placement.hostNodes.map(({ op }) => op);
    expect(onHost).toEqual(expect.arrayContaining(['Gather', 'Mul', 'Concat']));
  });

  it('opens again after others were closed, and beside others in the same thread', async () => {
    const inputs = [value('x', 'float', [1, 4])];
    const path = fileOf(model(graph({ inputs, nodes: [node('Abs', ['x'], ['y'])], outputs: [value('y')] })));
    const open = async () => unwrap(await openSession(path, { device: 'webgpu', intraOpThreads: 1 }));
    const [first, second] = [await open(), await open()];
    const feeds = (number: number) =>
      ({ x: { type: 'float32', dims: [1, 4], data: new Float32Array(4).fill(-number) } }) as const;
    const resultOf = async (session: Session, number: number) =>
      (await session.run(feeds(number)))['y']?.data[0];
    expect(await Promise.all([resultOf(first, 1), resultOf(second, 2)])).toEqual([1, 2]);
    await first.close();
    expect(await resultOf(second, 3)).toBe(3);
    await second.close();
    const third = await open();
    expect(await resultOf(third, 4)).toBe(4);
    await third.close();
  });
});

describe.skipIf(missing !== undefined || !isBuilt)('the check of WebGPU in a process of its own', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('says that it works, and how long it took', async () =>
    expect(await checkDevice(WORKER, 'webgpu')).toEqual({
      ok: true,
      value: { device: 'webgpu', openSeconds: expect.any(Number), firstRunSeconds: expect.any(Number) },
    }));

  it('gives the words of the runtime where a driver is there and cannot be used', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'libbroken.so'), 'this is no library');
    const driver = {
      file_format_version: '1.0.0',
      ICD: { library_path: './libbroken.so', api_version: '1.1.0' },
    };
    writeFileSync(join(folder, 'broken.json'), JSON.stringify(driver));
    vi.stubEnv('VK_DRIVER_FILES', join(folder, 'broken.json'));
    vi.stubEnv('VK_ICD_FILENAMES', join(folder, 'broken.json'));
    expect(await checkDevice(WORKER, 'webgpu')).toMatchObject({
      ok: false,
      error: {
        kind: 'device-unavailable',
        message: 'the device webgpu cannot be used: Failed to get a WebGPU adapter: No supported adapters',
        hint: expect.stringContaining('VK_DRIVER_FILES'),
      },
    });
  });
});

describe.skipIf(missing !== undefined || !isBuilt)('a benchmark on WebGPU', { timeout: 180_000 }, () => {
  async function bench(given: OnnxModel, concurrency = 1) {
    const settings = settingsOf({
      minDurationSeconds: 0.2,
      minQueries: 2,
      rounds: 2,
      ...(concurrency === 1 ? {} : { scenario: 'closed-loop', concurrency }),
    });
    const run = await benchVariants(
      {
        model: 'tiny',
        variants: [{ variant: 'fp32', path: fileOf(given) }],
        data: { spec: { path: '', format: 'random' }, split: 'eval' },
        threads: 1,
        device: 'webgpu',
        settings,
      },
      { host: WORKER, clock: systemClock },
    );
    return run.results[0];
  }

  it('says which provider ran the nodes, and computes under load what it does without', async () => {
    const result = await bench(network());
    expect(result).toMatchObject({
      device: 'webgpu',
      provider: GPU,
      placement: { fellBack: [] },
      outputCheck: { mismatches: [] },
    });
    expect(Object.keys(result?.placement?.nodesByProvider ?? {})).toEqual([GPU]);
    expect(result?.outputCheck?.compared).toBeGreaterThan(0);
    expect(result?.queries).toBeGreaterThan(0);
  });

  it('is invalid where a node fell back to the CPU', async () => {
    const nodes = [
      node('Abs', ['x'], ['a'], {}, { name: 'abs' }),
      node('Hardmax', ['a'], ['y'], {}, { name: 'hardmax' }),
    ];
    const fallen = model(graph({ inputs: [value('x', 'float', [1, 4])], nodes, outputs: [value('y')] }));
    const result = await bench(fallen);
    expect(result?.valid).toBe(false);
    expect(result?.invalidReasons).toContainEqual(
      '1 node did not run on webgpu, the first of them hardmax (Hardmax, CPUExecutionProvider)',
    );
  });

  it('refuses several lanes, which the device cannot have in one process', async () => {
    const result = await bench(network(), 2);
    expect(result?.invalidReasons[0]).toMatch(
      /^webgpu can be used by one thread of a process alone, not by 2/,
    );
  });
});
