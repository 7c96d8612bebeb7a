import { expect } from 'vitest';
import type { OnnxModel } from '../../src/onnx/model-file.ts';
import { type Feeds, runModel } from './run-model.ts';

/** Checks that `change`, which works on the model in place, leaves every output as it is, bit for bit. */
export async function expectSameResults(
  model: OnnxModel,
  feeds: Feeds,
  change: (model: OnnxModel) => unknown,
): Promise<void> {
  const before = await runModel(model, feeds);
  await change(model);
  const after = await runModel(model, feeds);
  expect(Object.keys(after)).toEqual(Object.keys(before));
  for (const [name, tensor] of Object.entries(before)) {
    expect({ name, type: after[name]?.type, dims: after[name]?.dims }).toEqual({
      name,
      type: tensor.type,
      dims: tensor.dims,
    });
    // Compared as typed arrays, so that -0 and NaN count as what they are.
    expect(after[name]?.data, name).toStrictEqual(tensor.data);
  }
}
