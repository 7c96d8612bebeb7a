import { describe, expect, it } from 'vitest';
import { biasCorrection } from '../../../../src/quantization/tuning/bias-correction/bias-correction.ts';
import { withConstants } from '../../../../src/quantization/tuning/draft.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { floatFeed } from '../../../support/run-model.ts';
import { tuningTools } from '../../../support/tuning-tools.ts';

/** Pictures around 3, where errors of weights that have one sign add up. */
const picture = (phase: number) =>
  floatFeed(
    [1, 4, 6, 6],
    Array.from({ length: 144 }, (_, index) => 3 + 0.1 * Math.sin(index * 1.7 + phase)),
  );
const SAMPLES = { learn: [1, 2, 3].map((phase) => ({ x: picture(phase) })), judge: [{ x: picture(5) }] };

/** The weights of the first channel are all 0.4 of a step above a code, those of the second as much below. */
const WEIGHTS = [127, 20.4, 30.4, 40.4, 127, 20.6, 30.6, 40.6].map((steps) => steps / 1270);

function net(op: 'Conv' | 'MatMul') {
  const isConv = op === 'Conv';
  const nodes = isConv
    ? [node('Conv', ['x', 'w', 'b'], ['a'])]
    : [
        node('Transpose', ['x'], ['t'], { perm: [0, 2, 3, 1] }),
        node('MatMul', ['t', 'w'], ['p']),
        node('Add', ['p', 'b'], ['a']),
      ];
  const columns = [0, 1, 2, 3].flatMap((row) => [WEIGHTS[row] as number, WEIGHTS[row + 4] as number]);
  return model(
    graph({
      inputs: [value('x', 'float', [1, 4, 6, 6])],
      nodes: [...nodes, node('Sigmoid', ['a'], ['y'])],
      outputs: [value('y', 'float')],
      initializers: [
        isConv ? tensor('w', [2, 4, 1, 1], WEIGHTS) : tensor('w', [4, 2], columns),
        tensor('b', [2], [-1.2, -1.1]),
      ],
    }),
  );
}

describe('biasCorrection', () => {
  it.each(['Conv', 'MatMul'] as const)(
    'takes away the mean error that rounding leaves behind a %s',
    async (op) => {
      const tools = tuningTools(net(op), SAMPLES);
      const draft = await tools.draft();
      const step = await biasCorrection.run(draft, tools);
      expect(step.changed).toBe(1);
      expect(await tools.judge(step.draft ?? draft)).toBeGreaterThan((await tools.judge(draft)) + 6);
    },
  );

  it('goes on from a bias that another pass has found', async () => {
    const tools = tuningTools(net('Conv'), SAMPLES);
    const draft = await tools.draft();
    const [anchor = ''] = draft.placement.nodes.map(({ node: of }) => of.name);
    const corrected = await biasCorrection.run(draft, tools);
    const moved = withConstants(draft, new Map([[anchor, { bias: Float32Array.of(0, 0) }]]));
    const step = await biasCorrection.run(moved, tools);
    const of = (from: typeof step) => [...(from.draft?.constants.get(anchor)?.bias ?? [])];
    expect(of(step)[0]).toBeCloseTo((of(corrected)[0] ?? Number.NaN) + 1.2, 6);
  });

  it('knows grids of 16 bits', async () => {
    const tools = tuningTools(net('Conv'), SAMPLES, { format: 'static-int16', activations: 'uint16' });
    expect(await biasCorrection.run(await tools.draft(), tools)).toMatchObject({ changed: 1 });
  });

  it('leaves biases alone that stay float32', async () => {
    const tools = tuningTools(net('Conv'), SAMPLES, { target: 'tensorrt', activations: 'int8' });
    const step = await biasCorrection.run(await tools.draft(), tools);
    expect(step).toEqual({ changed: 0, reason: 'no layer has a bias on its own grid' });
  });
});
