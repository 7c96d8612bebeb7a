import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/core/clock.ts';
import { attemptAsync } from '../../../../src/core/problem.ts';
import { explainModels } from '../../../../src/jobs/explain/explain-models.ts';
import type { ExplainTask } from '../../../../src/jobs/explain/explain-task.ts';
import type { Explanation } from '../../../../src/jobs/explain/explanation.ts';
import type { TaskContext } from '../../../../src/jobs/task-context.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import {
  FITTING,
  floatChain,
  qdqChain,
  scaledCodes,
  writeChainSamples,
  writeInto,
} from '../../../support/explained-models.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const context = { clock: systemClock, emit: () => {} };

/** What is told of a float32 model and one that was made of it. */
async function explainQuantized(task: ExplainTask, how: TaskContext): Promise<Explanation> {
  const explained = await explainModels(task, how);
  if (explained.kind !== 'quantized') throw new Error('the models were taken for two versions');
  return explained;
}

function taskOf(quantized: OnnxModel, more: Partial<ExplainTask> = {}): ExplainTask {
  const folder = temporaryFolder();
  return {
    kind: 'explain',
    referencePath: writeInto(folder, 'fp32.onnx', floatChain()),
    candidatePath: writeInto(folder, 'int8.onnx', quantized),
    data: { spec: { path: writeChainSamples(folder) }, split: 'eval' },
    samples: 8,
    task: { name: 'classification', settings: {} },
    taskIsNamed: false,
    scratch: folder,
    threads: 1,
    ...more,
  };
}

describe('explainModels, of a model and its quantized form', () => {
  it('finds each quantized node again, and what it alone costs', async () => {
    const explained = await explainQuantized(taskOf(qdqChain(FITTING)), context);
    expect(explained).toMatchObject({
      samples: 8,
      task: 'classification',
      unpaired: [],
      measured: { alone: 3, of: 3 },
    });
    expect(explained.nodes.map(({ node: name }) => name).sort()).toEqual(['first', 'second', 'third']);
    for (const { alone, own, without } of explained.nodes) {
      expect(alone?.sqnrDb).toBeGreaterThan(25);
      expect(own.weightsSqnrDb).toBeGreaterThan(35);
      expect(without?.gainDb).toBeGreaterThan(-1);
    }
    // Small errors add up: the whole is worse than each.
    const whole = explained.simulated.sqnrDb as number;
    for (const { alone } of explained.nodes) expect(alone?.sqnrDb).toBeGreaterThan(whole - 0.5);
    expect(Math.abs(whole - (explained.whole.sqnrDb as number))).toBeLessThan(1);
  });

  it('takes the result of a node for that of the Relu that its grid does the work of', async () => {
    const { nodes, tensors, depth } = await explainQuantized(taskOf(qdqChain(FITTING)), context);
    expect(nodes.find(({ node: name }) => name === 'first')?.output).toBe('r0');
    expect(tensors.find(({ tensor: name }) => name === 'r0')).toMatchObject({ low: 0, clippedRatio: 0 });
    expect(depth.map(({ tensor: name }) => name)).toEqual(['r0', 'h1', 'y']);
  });

  it('puts the node first whose range is too narrow, and says so', async () => {
    const { nodes } = await explainQuantized(taskOf(qdqChain({ ...FITTING, h1: 0.3 })), context);
    expect(nodes[0]).toMatchObject({ output: expect.stringMatching(/^(h1|y)$/) });
    expect(nodes.slice(0, 2).map(({ cause }) => cause)).toEqual(
      expect.arrayContaining(['output-clipping', 'input-clipping']),
    );
    expect(nodes[0]?.reason).toMatch(/% of the values of 'h1' lie beyond its range \[-0\.301, 0\.299\]/);
    expect(nodes[0]?.advice[0]).toContain('a wider range');
    expect(nodes.at(-1)?.node).toBe('first');
  });

  it('says of a range that is too wide how wide it is, and how few codes are used', async () => {
    const { nodes } = await explainQuantized(taskOf(qdqChain({ ...FITTING, r0: 40 })), context);
    const first = nodes.find(({ node: name }) => name === 'first');
    expect(first?.cause).toBe('output-rounding');
    expect(first?.reason).toMatch(/the range \[0, 40\] of 'r0' is \d+ times as wide .* codes are used$/);
  });

  it('says of weights that lie on the grid already that rounding them costs nothing', async () => {
    const float = floatChain();
    const onGrid = float.proto.graph?.initializer ?? [];
    for (const [layer, { dims }] of onGrid.entries()) {
      const codes = Array.from({ length: 64 }, (_, i) => ((i * 7 + layer) % 255) - 127);
      onGrid[layer] = tensor(
        `w${layer}`,
        dims,
        codes.map((code) => Math.fround(code * Math.fround(1 / 127))),
      );
    }
    const weightsOnly = model(
      graph({
        inputs: [value('x', 'float', [1, 8])],
        nodes: [
          node('DequantizeLinear', ['w0_q', 's'], ['w0']),
          node('MatMul', ['x', 'w0'], ['h0'], {}, { name: 'first' }),
          node('Relu', ['h0'], ['r0'], {}, { name: 'relu' }),
          node('MatMul', ['r0', 'w1'], ['h1'], {}, { name: 'second' }),
          node('MatMul', ['h1', 'w2'], ['y'], {}, { name: 'third' }),
        ],
        outputs: [value('y', 'float', [1, 8])],
        initializers: [
          tensor(
            'w0_q',
            [8, 8],
            Array.from({ length: 64 }, (_, i) => ((i * 7) % 255) - 127),
            'int8',
          ),
          tensor('s', [], [1 / 127]),
          ...onGrid.slice(1),
        ],
      }),
    );
    const task = taskOf(weightsOnly);
    const explained = await explainQuantized(
      { ...task, referencePath: writeInto(task.scratch, 'grid.onnx', float) },
      context,
    );
    expect(explained.nodes).toMatchObject([
      {
        node: 'first',
        cause: 'none',
        reason: expect.stringContaining('lie on the grid already'),
        advice: [],
      },
    ]);
    expect(explained.nodes[0]?.alone).toEqual({ sqnrDb: null, changedAnswers: 0 });
  });

  it('compares a model with scaled channels with the float32 model scaled alike, and says so', async () => {
    const { nodes, unpaired, notes, simulated } = await explainQuantized(
      taskOf(qdqChain({ ...FITTING, h1: 5 }, scaledCodes)),
      context,
    );
    expect(unpaired).toEqual([]);
    expect(notes).toEqual([
      expect.stringMatching(/were scaled \(equalized\): .* which has [3-9]\d\.\d dB against it/),
    ]);
    for (const { own } of nodes) expect(own.weightsSqnrDb).toBeGreaterThan(28);
    expect(simulated.sqnrDb).toBeGreaterThan(18);
  });

  it('takes normalization that a tool left where it was for no scaling of channels', async () => {
    const ones = (name: string, at: (channel: number) => number) =>
      tensor(
        name,
        [8],
        Array.from({ length: 8 }, (_, channel) => at(channel)),
      );
    const constants = [
      ones('gamma', (channel) => 2 ** (channel % 4)),
      ones('beta', (channel) => channel / 8),
      ones('mean', () => 0.1),
      ones('variance', () => 1),
    ];
    const weights = Array.from({ length: 8 * 8 }, (_, i) => Math.sin(i * 1.3 + 0.4));
    const chain = (
      first: readonly ReturnType<typeof node>[],
      initializers: readonly ReturnType<typeof tensor>[],
    ) =>
      model(
        graph({
          inputs: [value('x', 'float', [1, 8])],
          nodes: [
            node('Reshape', ['x', 'map'], ['m']),
            ...first,
            node('Conv', ['m', 'w'], ['c'], {}, { name: 'conv' }),
            node('BatchNormalization', ['c', 'gamma', 'beta', 'mean', 'variance'], ['n'], {}, { name: 'bn' }),
            node('Reshape', ['n', 'flat'], ['y']),
          ],
          outputs: [value('y', 'float', [1, 8])],
          initializers: [
            tensor('map', [4], [1, 8, 1, 1], 'int64'),
            tensor('flat', [2], [1, 8], 'int64'),
            ...constants,
            ...initializers,
          ],
        }),
      );
    const codes = weights.map((each) => Math.round(each * 127));
    const quantized = chain(
      [node('DequantizeLinear', ['w_q', 's'], ['w'])],
      [tensor('w_q', [8, 8, 1, 1], codes, 'int8'), tensor('s', [], [1 / 127])],
    );
    const task = taskOf(quantized);
    const float = writeInto(task.scratch, 'plain.onnx', chain([], [tensor('w', [8, 8, 1, 1], weights)]));
    const { notes, simulated, whole, nodes } = await explainQuantized(
      { ...task, referencePath: float },
      context,
    );
    expect(notes).toEqual([]);
    expect(nodes.map(({ node: name }) => name)).toEqual(['conv']);
    expect(simulated.sqnrDb).toBeCloseTo(whole.sqnrDb as number, 2);
  });

  it('measures no more nodes than it is told, those first whose own results are furthest off', async () => {
    const { nodes, measured } = await explainQuantized(
      taskOf(qdqChain({ ...FITTING, h1: 0.3 }), { top: 1 }),
      context,
    );
    expect(measured).toEqual({ alone: 1, of: 3, stopped: 'top' });
    expect(nodes.map(({ alone }) => alone !== undefined)).toEqual([true, false, false]);
    expect(nodes[0]?.reason).toContain("'h1'");
  });

  it('measures no node at the outputs once the time is up, and tells all else', async () => {
    const { nodes, measured } = await explainQuantized(
      taskOf(qdqChain(FITTING), { timeLimitSeconds: 0 }),
      context,
    );
    expect(measured).toEqual({ alone: 0, of: 3, stopped: 'time-limit' });
    expect(nodes).toHaveLength(3);
    expect(nodes[0]?.own.sqnrDb).toBeGreaterThan(20);
  });

  it('measures those first whose own results are furthest off, with their neighbours, until the time is up', async () => {
    const layers = Array.from({ length: 12 }, (_, layer) => layer);
    const weightsOf = (layer: number) => Array.from({ length: 64 }, (_, i) => Math.sin(i * 1.3 + layer) / 2);
    const product = (layer: number) =>
      node(
        'MatMul',
        [layer === 0 ? 'x' : `h${layer - 1}`, `w${layer}`],
        [layer === 11 ? 'y' : `h${layer}`],
        {},
        {
          name: `product${layer}`,
        },
      );
    const ports = { inputs: [value('x', 'float', [1, 8])], outputs: [value('y', 'float', [1, 8])] };
    const float = model(
      graph({
        ...ports,
        nodes: layers.map(product),
        initializers: layers.map((layer) => tensor(`w${layer}`, [8, 8], weightsOf(layer))),
      }),
    );
    // The last but one has few codes.
    const scaleOf = (layer: number) => (layer === 10 ? 1 / 14 : 1 / 254);
    const quantized = model(
      graph({
        ...ports,
        nodes: layers.flatMap((layer) => [
          node('DequantizeLinear', [`w${layer}_q`, `s${layer}`], [`w${layer}`]),
          product(layer),
        ]),
        initializers: layers.flatMap((layer) => [
          tensor(`s${layer}`, [], [scaleOf(layer)]),
          tensor(
            `w${layer}_q`,
            [8, 8],
            weightsOf(layer).map((weight) => Math.round(weight / scaleOf(layer))),
            'int8',
          ),
        ]),
      }),
    );
    const task = taskOf(quantized, { samples: 2, timeLimitSeconds: 60 });
    // Time begins to pass with the first block, and is up after it.
    let [nowNs, tickNs] = [0n, 0n];
    const explained = await explainQuantized(
      { ...task, referencePath: writeInto(task.scratch, 'long.onnx', float) },
      {
        clock: {
          ...systemClock,
          nowNs: () => {
            nowNs += tickNs;
            return nowNs;
          },
        },
        emit: (event) => {
          if (event.kind !== 'progress' || event.progress.subject !== 'nodes alone') return;
          if (tickNs === 0n) nowNs = 58_000_000_000n;
          tickNs = 1_000_000_000n;
        },
      },
    );
    const { alone } = explained.measured;
    expect(explained.measured).toEqual({ alone, of: 12, stopped: 'time-limit' });
    expect(explained.nodes[0]?.node).toBe('product10');
    const measured = explained.nodes.filter((each) => each.alone !== undefined);
    expect(measured.map(({ depth }) => depth).sort((a, b) => a - b)).toEqual(layers.slice(12 - alone));
  });

  it('leaves no model behind that it ran, whether it comes to its end or not', async () => {
    const ended = taskOf(qdqChain(FITTING));
    await explainQuantized(ended, context);
    const failed = taskOf(qdqChain(FITTING));
    const before = readdirSync(failed.scratch);
    let told = 0;
    const emit: TaskContext['emit'] = (event) => {
      if (event.kind === 'progress' && event.progress.subject === 'own errors') told += 1;
      if (told === 1) throw new Error('nobody listens any more');
    };
    await expect(explainModels(failed, { ...context, emit })).rejects.toThrow('nobody listens');
    for (const { scratch } of [ended, failed]) expect(readdirSync(scratch).sort()).toEqual(before.sort());
  });

  it('refuses a model that was not made of the other, and models in the wrong order', async () => {
    const other = floatChain();
    for (const weights of other.proto.graph?.initializer ?? []) {
      const { name = '', dims } = weights;
      Object.assign(
        weights,
        tensor(
          name,
          dims,
          Array.from({ length: 64 }, (_, i) => Math.cos(i * i)),
        ),
      );
    }
    const task = taskOf(qdqChain(FITTING));
    const foreign = await attemptAsync(() =>
      explainModels({ ...task, referencePath: writeInto(task.scratch, 'other.onnx', other) }, context),
    );
    expect(foreign).toMatchObject({ ok: false, error: { kind: 'nothing-paired' } });
    expect(foreign.ok ? '' : foreign.error.message).toContain(
      "'first': its weights are not those of the float32 node",
    );
    const swapped = await attemptAsync(() =>
      explainModels(
        { ...task, referencePath: task.candidatePath, candidatePath: task.referencePath },
        context,
      ),
    );
    expect(swapped).toMatchObject({ ok: false, error: { kind: 'models-swapped' } });
  });

  it('refuses a task that was named and does not fit the outputs', async () => {
    const task = taskOf(qdqChain(FITTING), {
      task: { name: 'classification', settings: { output: 'nope' } },
    });
    const named = await attemptAsync(() => explainModels({ ...task, taskIsNamed: true }, context));
    expect(named.ok).toBe(false);
  });
});

describe('explainModels, of two versions of a model', () => {
  const compare = async (before: OnnxModel, after: OnnxModel) => {
    const task = taskOf(after);
    const moved = await explainModels(
      { ...task, referencePath: writeInto(task.scratch, 'before.onnx', before) },
      context,
    );
    if (moved.kind !== 'moved') throw new Error('the models were not taken for two versions');
    return moved;
  };

  it('puts the node first whose range was changed, and says how', async () => {
    const { nodes, whole } = await compare(qdqChain(FITTING), qdqChain({ ...FITTING, h1: 0.3 }));
    expect(nodes[0]).toMatchObject({
      node: 'second',
      inputsSqnrDb: null,
      changed: ['the range of its result was [-1.2, 1.2], and is [-0.301, 0.299]'],
    });
    expect(nodes[1]).toMatchObject({ node: 'third', changed: [] });
    expect(nodes).toHaveLength(2);
    expect(nodes[0]?.sqnrDb).toBeLessThan(20);
    expect(whole.sqnrDb).toBeLessThan(20);
  });

  it('puts the node first whose weights were changed, of two float32 models as well', async () => {
    const changed = floatChain();
    const weights = changed.proto.graph?.initializer.find(({ name }) => name === 'w1');
    Object.assign(weights ?? {}, tensor('w1', [8, 8], new Array(64).fill(0.25)));
    const { nodes } = await compare(floatChain(), changed);
    expect(nodes[0]).toMatchObject({
      node: 'second',
      changed: [expect.stringMatching(/^its weights differ in 64 of 64 values \(-?\d+\.\d dB\)$/)],
    });
    expect(nodes[1]).toMatchObject({ node: 'third', changed: [] });
  });

  it('says that nothing moved', async () => {
    const { nodes, whole } = await compare(qdqChain(FITTING), qdqChain(FITTING));
    expect([nodes, whole.sqnrDb]).toEqual([[], null]);
  });

  it('names nodes that only one version has', async () => {
    const longer = floatChain();
    const graphOf = longer.proto.graph;
    graphOf?.node.splice(3, 0, node('Relu', ['h1'], ['r1'], {}, { name: 'added' }));
    const third = graphOf?.node.find(({ name }) => name === 'third');
    if (third !== undefined) third.input[0] = 'r1';
    const moved = await compare(floatChain(), longer);
    expect([moved.onlyBefore, moved.onlyAfter]).toEqual([[], ['added']]);
    expect(moved.nodes).toMatchObject([{ node: 'third' }]);
  });
});
