import { expect } from 'vitest';
import type { OnnxModel } from '../../src/onnx/model-file.ts';
import { type Feeds, runModel } from './run-model.ts';

/** Checks that `change`, which works on the model in place, leaves every float output as it is up to rounding. */
export async function expectCloseResults(
  model: OnnxModel,
  feeds: Feeds,
  change: (model: OnnxModel) => unknown,
): Promise<void> {
  const before = await runModel(model, feeds);
  await change(model);
  const after = await runModel(model, feeds);
  for (const [name, { dims, data }] of Object.entries(before)) {
    expect({ name, dims: after[name]?.dims }).toEqual({ name, dims });
    const found = after[name]?.data as Float32Array;
    (data as Float32Array).forEach((value, index) => {
      expect(found[index], `${name}[${index}]`).toBeCloseTo(value, 4);
    });
  }
}
