import { describe, expect, it } from 'vitest';
import type { NodeProto, TensorProto } from '../../../../src/onnx/messages.ts';
import { measureLayerNoise } from '../../../../src/quantization/sensitivity/layer-noise.ts';
import { countLayerWork } from '../../../../src/quantization/sensitivity/layer-work.ts';
import type { Draft } from '../../../../src/quantization/tuning/draft.ts';
import { mixedPrecision } from '../../../../src/quantization/tuning/mixed-precision.ts';
import type { TuningTools } from '../../../../src/quantization/tuning/tuning-pass.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { type Feeds, wavyFeed } from '../../../support/run-model.ts';
import { tuningTools } from '../../../support/tuning-tools.ts';

const wave = (count: number, pitch: number) =>
  Array.from({ length: count }, (_, i) => Math.sin(i * pitch + 0.4));
const SAMPLES: readonly Feeds[] = [{ x: wavyFeed(1, 4, 5, 5) }];

/** Convolutions of 4 channels, one after another. One whose first channel has large weights loses the others with one scale a tensor. */
function chain(...layers: readonly ('even' | 'uneven')[]) {
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  layers.forEach((kind, at) => {
    const weights = wave(4 * 4, 1.3 + at).map((w, i) => (kind === 'uneven' && i < 4 ? 100 * w : w));
    initializers.push(tensor(`w${at}`, [4, 4, 1, 1], weights));
    nodes.push(
      node('Conv', [at === 0 ? 'x' : `h${at}`, `w${at}`], [`h${at + 1}`], {}, { name: `conv${at}` }),
    );
  });
  return model(
    graph({
      inputs: [value('x', 'float', [1, 4, 5, 5])],
      nodes: [...nodes, node('Sigmoid', [`h${layers.length}`], ['y'])],
      outputs: [value('y', 'float')],
      initializers,
    }),
  );
}

async function draftAndTools(given: ReturnType<typeof chain>) {
  const all = tuningTools(given, { learn: SAMPLES, judge: SAMPLES }, { perTensor: true });
  let judged = 0;
  const tools: TuningTools = {
    ...all,
    judge: (draft) => {
      judged += 1;
      return all.judge(draft);
    },
  };
  return { draft: await all.draft(), tools, judged: () => judged };
}

describe('mixedPrecision', () => {
  it('leaves float32 the layer that costs most, and no other', async () => {
    const { draft, tools } = await draftAndTools(chain('even', 'even', 'even', 'uneven'));
    const before = await tools.judge(draft);
    const step = await mixedPrecision(before + 6).run(draft, tools);
    expect([...(step.draft?.left ?? [])].map(([name]) => name)).toEqual(['conv3']);
    expect(step.changed).toBe(1);
    expect(step.reason).toMatch(
      /^1 of 4 layers left float32 \(25.0 % of the multiplications\): .* reaches the goal$/,
    );
    expect(step.draft?.placement.float).toMatchObject([
      { node: 'conv3', reason: expect.stringContaining('int8 costs too much') },
    ]);
    expect(await tools.judge(step.draft as Draft)).toBeGreaterThan(before + 6);
  });

  it('leaves everything as it is where the goal is reached already', async () => {
    const { draft, tools, judged } = await draftAndTools(chain('even', 'even'));
    const step = await mixedPrecision(10).run(draft, tools);
    expect(step).toMatchObject({ changed: 0, reason: expect.stringContaining('reach the goal of 10 dB') });
    expect(step.draft).toBeUndefined();
    expect(judged()).toBe(1);
  });

  it('keeps what came nearest to a goal that is out of reach, and something in int8', async () => {
    const { draft, tools } = await draftAndTools(chain('even', 'even', 'uneven'));
    const step = await mixedPrecision(100).run(draft, tools);
    expect(step.draft?.placement.nodes.some(({ weights }) => weights !== undefined)).toBe(true);
    expect(step.reason).toContain('misses the goal of 100 dB');
    expect(await tools.judge(step.draft as Draft)).toBeGreaterThan((await tools.judge(draft)) + 6);
  });

  it.each([1, 2, 3, 4, 5])('finds that %i layers are enough and fewer are not', async (enough) => {
    const { draft, tools } = await draftAndTools(chain('even', 'even', 'even', 'even', 'even', 'even'));
    const judge = async ({ left }: Draft) => ((left?.size ?? 0) >= enough ? 30 : 20);
    const step = await mixedPrecision(25).run(draft, { ...tools, judge });
    expect(step.changed).toBe(enough);
    expect(step.draft?.left?.size).toBe(enough);
  });

  it('has nothing to leave in a model of one layer', async () => {
    const { draft, tools } = await draftAndTools(chain('uneven'));
    const step = await mixedPrecision(100).run(draft, tools);
    expect(step).toMatchObject({ changed: 0, reason: expect.stringContaining('one layer only') });
  });
});

describe('measureLayerNoise', () => {
  it('tells of each layer what it costs alone', async () => {
    const { draft, tools } = await draftAndTools(chain('even', 'even', 'uneven'));
    const noise = await measureLayerNoise(draft, tools, 1);
    expect(noise.map(({ node: name, op }) => [name, op])).toEqual([
      ['conv0', 'Conv'],
      ['conv1', 'Conv'],
      ['conv2', 'Conv'],
    ]);
    const [first = Number.NaN, second = Number.NaN, third = Number.NaN] = noise.map((layer) => layer.noise);
    expect(third).toBeGreaterThan(5 * Math.max(first, second));
    expect(Math.min(first, second)).toBeGreaterThan(0);
  });
});

describe('countLayerWork', () => {
  it('counts multiplications from the shapes of a run', async () => {
    const { draft, tools } = await draftAndTools(chain('even', 'even'));
    expect(await countLayerWork(draft, tools)).toEqual(
      new Map([
        ['conv0', 4 * 25 * 4],
        ['conv1', 4 * 25 * 4],
      ]),
    );
  });
});
