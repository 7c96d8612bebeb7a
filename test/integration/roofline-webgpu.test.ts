import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { attemptAsync } from '../../src/core/problem.ts';
import { tryDevice } from '../../src/jobs/device-trial.ts';
import { floatProduct, inPlaceRelus, integerProduct } from '../../src/jobs/probe-models.ts';
import { profileOperators } from '../../src/jobs/profile-operators.ts';
import { timeProbe } from '../../src/jobs/time-probe.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import { waveConstant } from '../support/constants.ts';
import { graph, model, node, value } from '../support/graph-builder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

const device = 'webgpu';
const trial = await attemptAsync(() => tryDevice({ kind: 'device-trial', device }, { clock: systemClock }));
const SKIPPED = trial.ok ? '' : ` (skipped: ${trial.error.message})`;

describe.skipIf(!trial.ok)(`the roofline of WebGPU${SKIPPED}`, () => {
  const time = (probe: Parameters<typeof timeProbe>[0]) =>
    timeProbe(
      probe,
      { device, threads: 1, folder: temporaryFolder(), clock: systemClock },
      'WebGpuExecutionProvider',
    );

  it('times products and copies on the device', async () => {
    for (const probe of [floatProduct({ rows: 64, inner: 64 }, 'float'), inPlaceRelus(2 ** 18)]) {
      const timing = await time(probe);
      expect(timing?.seconds).toBeGreaterThan(0);
      expect(timing?.seconds).toBeLessThan(10);
    }
  }, 60_000);

  it(
    'has no product of codes, which the CPU would compute',
    async () => expect(await time(integerProduct({ rows: 16, inner: 16 }))).toBeNull(),
    60_000,
  );

  it('gives operators the time of their shaders', async () => {
    const path = join(temporaryFolder(), 'model.onnx');
    const nodes = [node('Conv', ['x', 'w'], ['c'], { pads: [1, 1, 1, 1] }), node('Tanh', ['c'], ['y'])];
    const body = graph({
      inputs: [value('x', 'float', [1, 4, 16, 16])],
      nodes,
      outputs: [value('y')],
      initializers: [waveConstant('w', [8, 4, 3, 3])],
    });
    unwrap(writeModel(model(body), path));
    const data = { spec: { path: '', format: 'random' }, split: 'all' } as const;
    const { calls, seconds } = await profileOperators(
      { kind: 'profile-operators', modelPath: path, device, data, threads: 1, runs: 4 },
      { clock: systemClock },
    );
    const convolutions = calls.filter(({ op }) => op.includes('Conv'));
    expect(convolutions).toMatchObject([
      { provider: 'WebGpuExecutionProvider', form: '3×3', calls: 4, flops: 2 * 8 * 16 * 16 * 4 * 9 },
    ]);
    const shaderSeconds = calls.reduce((total, call) => total + call.seconds, 0);
    expect(shaderSeconds).toBeGreaterThan(0);
    expect(shaderSeconds).toBeLessThan(2 * seconds);
  }, 60_000);
});
