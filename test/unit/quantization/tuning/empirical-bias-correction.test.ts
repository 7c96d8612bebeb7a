import { describe, expect, it } from 'vitest';
import { biasCorrection } from '../../../../src/quantization/tuning/bias-correction/bias-correction.ts';
import { empiricalBiasCorrection } from '../../../../src/quantization/tuning/bias-correction/empirical-bias-correction.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { floatFeed } from '../../../support/run-model.ts';
import { tuningTools } from '../../../support/tuning-tools.ts';

/** Pictures around 3, where errors of weights that have one sign add up. */
const picture = (phase: number) =>
  floatFeed(
    [1, 4, 6, 6],
    Array.from({ length: 144 }, (_, index) => 3 + Math.sin(index * 1.7 + phase)),
  );
const SAMPLES = { learn: [1, 2, 3].map((phase) => ({ x: picture(phase) })), judge: [{ x: picture(5) }] };

/** Of one layer without a bias: weights of the first channel are 0.4 of a step above a code, those of the second as much below. */
const WEIGHTS = [127, 20.4, 30.4, 40.4, 127, 20.6, 30.6, 40.6].map((steps) => steps / 1270);

/** It is followed by as many layers with a bias as are asked for, whose weights lie on their grid. */
function net(op: 'Conv' | 'MatMul', layers: number) {
  const isConv = op === 'Conv';
  const follow = Array.from({ length: layers }, (_, at) => {
    const [from, to] = [`h${at}`, `h${at + 1}`];
    return isConv
      ? [node('Conv', [from, 'v', 'b'], [to])]
      : [node('MatMul', [from, 'v'], [`p${at}`]), node('Add', [`p${at}`, 'b'], [to])];
  }).flat();
  const first = isConv
    ? [node('Conv', ['x', 'w'], ['h0'])]
    : [node('Conv', ['x', 'w'], ['c']), node('Transpose', ['c'], ['h0'], { perm: [0, 2, 3, 1] })];
  return model(
    graph({
      inputs: [value('x', 'float', [1, 4, 6, 6])],
      nodes: [...first, ...follow, node('Sigmoid', [`h${layers}`], ['y'])],
      outputs: [value('y', 'float')],
      initializers: [
        tensor('w', [2, 4, 1, 1], WEIGHTS),
        tensor('v', isConv ? [2, 2, 1, 1] : [2, 2], [1, 0, 0, 1]),
        tensor('b', [2], [-0.4, -0.3]),
      ],
    }),
  );
}

describe('empiricalBiasCorrection', () => {
  it.each(['Conv', 'MatMul'] as const)(
    'takes away behind a %s the mean error of a layer before that has no bias, which means of float inputs do not tell',
    async (op) => {
      const tools = tuningTools(net(op, 1), SAMPLES);
      const draft = await tools.draft();
      const judged = async (pass: typeof biasCorrection) =>
        tools.judge((await pass.run(draft, tools)).draft ?? draft);
      const before = await tools.judge(draft);
      expect(await judged(biasCorrection)).toBeLessThan(before + 3);
      expect(await judged(empiricalBiasCorrection)).toBeGreaterThan(before + 6);
    },
  );

  it('corrects an error once, though all layers behind it show it', async () => {
    const tools = tuningTools(net('Conv', 3), SAMPLES);
    const draft = await tools.draft();
    const step = await empiricalBiasCorrection.run(draft, tools);
    expect(step.changed).toBe(3);
    const moved = draft.placement.nodes.slice(1).map(({ node: { name = '' } }) => {
      const [bias = Number.NaN] = step.draft?.constants.get(name)?.bias ?? [];
      return Math.abs(bias + 0.4);
    });
    expect(moved[0]).toBeGreaterThan(0.001);
    expect(Math.max(...moved.slice(1))).toBeLessThan((moved[0] ?? 0) / 4);
  });

  it('leaves biases alone that stay float32', async () => {
    const tools = tuningTools(net('Conv', 1), SAMPLES, { target: 'tensorrt', activations: 'int8' });
    const step = await empiricalBiasCorrection.run(await tools.draft(), tools);
    expect(step).toEqual({ changed: 0, reason: 'no layer has a bias on its own grid' });
  });
});
