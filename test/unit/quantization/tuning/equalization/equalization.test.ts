import { describe, expect, it } from 'vitest';
import { equalization } from '../../../../../src/quantization/tuning/equalization/equalization.ts';
import { graph, model, node, tensor, value } from '../../../../support/graph-builder.ts';
import { floatFeed, runModel } from '../../../../support/run-model.ts';
import { tuningTools } from '../../../../support/tuning-tools.ts';

const noise = (count: number, phase: number) =>
  Array.from({ length: count }, (_, index) => Math.sin(index * 12.9898 + phase) * Math.cos(index * 78.233));

/** x → Conv of 4 channels → `between` → a Conv that reads each alone or all together → mixed to y. */
function net(channelScales: readonly number[], { clip = false, depthwise = true } = {}) {
  const [first, second] = [noise(4 * 9, 1), noise(4 * (depthwise ? 9 : 36), 2)];
  return model(
    graph({
      inputs: [value('x', 'float', [1, 1, 12, 12])],
      nodes: [
        node('Conv', ['x', 'w', 'b'], ['a']),
        clip ? node('Clip', ['a', 'zero', 'six'], ['c']) : node('Relu', ['a'], ['c']),
        node('Conv', ['c', 'v', 'd'], ['e'], depthwise ? { group: 4 } : {}),
        node('Relu', ['e'], ['f']),
        node('Conv', ['f', 'm'], ['g']),
        node('Sigmoid', ['g'], ['y']),
      ],
      outputs: [value('y', 'float')],
      initializers: [
        tensor(
          'w',
          [4, 1, 3, 3],
          first.map((weight, index) => weight * (channelScales[Math.floor(index / 9)] as number)),
        ),
        tensor(
          'b',
          [4],
          channelScales.map((scale) => 0.5 * scale),
        ),
        tensor('zero', [], [0]),
        tensor('six', [], [6]),
        tensor(
          'v',
          [4, depthwise ? 1 : 4, 3, 3],
          second.map((weight, index) => weight / (channelScales[Math.floor(index / 9) % 4] as number)),
        ),
        tensor('d', [4], [0.1, 0.2, 0.3, 0.1]),
        tensor('m', [2, 4, 1, 1], noise(8, 3)),
      ],
    }),
  );
}

const SAMPLES = {
  learn: [4, 5, 6].map((phase) => ({ x: floatFeed([1, 1, 12, 12], noise(144, phase)) })),
  judge: [7, 8].map((phase) => ({ x: floatFeed([1, 1, 12, 12], noise(144, phase)) })),
};

describe('equalization', () => {
  it.each([true, false])(
    'repairs channels of which one is a thousand times the others (read alone: %s)',
    async (depthwise) => {
      const given = net([1, 1000, 1, 0.3], { depthwise });
      const tools = tuningTools(given, SAMPLES);
      const draft = await tools.draft();
      const step = await equalization.run(draft, tools);
      expect(await tools.judge(draft)).toBeLessThan(15);
      expect(await tools.judge(step.draft ?? draft)).toBeGreaterThan(35);
    },
  );

  it('lets channels before a Clip grow no further than it cut them before', async () => {
    const given = net([1, 2, 0.02, 0.2], { clip: true });
    const tools = tuningTools(given, SAMPLES);
    const draft = await tools.draft();
    const step = await equalization.run(draft, tools);
    expect(step.changed).toBeGreaterThan(0);
    expect(await tools.judge(step.draft ?? draft)).toBeGreaterThan((await tools.judge(draft)) + 3);
    for (const feeds of SAMPLES.learn) {
      const [before, after] = [
        await runModel(given, feeds),
        await runModel(step.draft?.view.model ?? given, feeds),
      ];
      const values = (of: typeof before) => of['y']?.data as Float32Array | undefined;
      values(before)?.forEach((value, index) => {
        expect(values(after)?.[index]).toBeCloseTo(value, 4);
      });
    }
  });

  it('moves an outlier channel from what a normalization gives into the matrix that reads it', async () => {
    const channelScales = Array.from({ length: 16 }, (_, channel) => (channel === 5 ? 100 : 1));
    const rows = (phase: number) => ({ x: floatFeed([12, 16], noise(192, phase)) });
    const given = model(
      graph({
        inputs: [value('x', 'float', [12, 16])],
        nodes: [
          node('LayerNormalization', ['x', 'g', 'h'], ['n'], { axis: -1 }),
          node('MatMul', ['n', 'm'], ['p']),
          node('Sigmoid', ['p'], ['y']),
        ],
        outputs: [value('y', 'float')],
        initializers: [
          tensor('g', [16], channelScales),
          tensor(
            'h',
            [16],
            channelScales.map((scale) => 0.1 * scale),
          ),
          tensor(
            'm',
            [16, 8],
            noise(128, 4).map((weight, index) => weight / (channelScales[Math.floor(index / 8)] as number)),
          ),
        ],
      }),
      { opset: 17 },
    );
    const tools = tuningTools(given, { learn: [rows(1), rows(2)], judge: [rows(3)] });
    const draft = await tools.draft();
    const step = await equalization.run(draft, tools);
    expect(await tools.judge(draft)).toBeLessThan(20);
    expect(await tools.judge(step.draft ?? draft)).toBeGreaterThan(30);
  });

  it('leaves the draft that it gets as it is', async () => {
    const given = net([1, 1000, 1, 1]);
    const tools = tuningTools(given, SAMPLES);
    const draft = await tools.draft();
    const before = await tools.judge(draft);
    await equalization.run(draft, tools);
    expect(await tools.judge(draft)).toBe(before);
  });

  it('finds nothing to do where nothing can be scaled', async () => {
    const given = model(
      graph({
        inputs: [value('x', 'float', [1, 1, 12, 12])],
        nodes: [
          node('Conv', ['x', 'w'], ['a']),
          node('Sigmoid', ['a'], ['s']),
          node('Conv', ['s', 'v'], ['y']),
        ],
        outputs: [value('y', 'float')],
        initializers: [tensor('w', [2, 1, 1, 1], [1, 9]), tensor('v', [1, 2, 1, 1], [1, 1])],
      }),
    );
    const tools = tuningTools(given, SAMPLES);
    const step = await equalization.run(await tools.draft(), tools);
    expect(step).toEqual({ changed: 0, reason: 'no channels that could be scaled' });
  });
});
