import type { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { scratchModelOpener } from '../../src/jobs/scratch-models.ts';
import { readModel } from '../../src/onnx/model-file.ts';
import { prepareModel } from '../../src/onnx/passes/prepare.ts';
import { graphOf } from '../support/chain.ts';
import {
  type BackendCase,
  feedsOf,
  findBackendModels,
  listBackendModels,
  readTensor,
  skipWithoutBackendModels,
} from '../support/onnx-backend-models.ts';
import { runModel } from '../support/run-model.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

const folder = findBackendModels();
const cases = listBackendModels(folder);

type Results = Readonly<Record<string, Tensor>>;

describe('a model of the backend tests', () => {
  skipWithoutBackendModels(folder);

  it.each(cases.map((entry) => [`${entry.kind}/${entry.name}`, entry] as const))(
    '%s computes the same when it is prepared, or a problem says why it cannot be',
    async (_name, entry) => {
      const given = unwrap(readModel(entry.modelPath));
      const feeds = entry.dataSets[0] && feedsOf(given, entry.dataSets[0]);
      const run = () => runModel(given, feeds ?? {});
      const before = feeds === undefined ? undefined : await run().catch(() => undefined);
      const prepared = await prepareModel(given, { open: scratchModelOpener(temporaryFolder(), 1) });
      if (!prepared.ok) {
        expect(prepared.error.kind).toBe('operator-not-liftable');
        return;
      }
      if (before !== undefined) expect(largestDifference(before, await run())).toBeLessThan(1e-5);
      else if (feeds !== undefined && prepared.value.liftOpset.fromVersion < 7) {
        // The runtime refuses such old models; once lifted, they give what their authors expect.
        expect(largestDifference(expectedOf(given, entry), await run())).toBeLessThan(1e-3);
      }
    },
  );
});

function expectedOf(given: Parameters<typeof graphOf>[0], { dataSets }: BackendCase): Results {
  const files = dataSets[0]?.outputs ?? [];
  return Object.fromEntries(
    graphOf(given).output.map(({ name = '' }, index) => [name, readTensor(files[index] ?? '') as Tensor]),
  );
}

/** The largest difference between two results, relative to the values where they are large. Not a number where they cannot be compared. */
function largestDifference(expected: Results, actual: Results): number {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  let largest = 0;
  for (const [name, tensor] of Object.entries(expected)) {
    const other = actual[name];
    expect([name, other?.type, other?.dims]).toEqual([name, tensor.type, tensor.dims]);
    const values = tensor.data as unknown as readonly unknown[];
    const others = other?.data as unknown as readonly unknown[];
    for (let index = 0; index < values.length; index++) {
      const [a, b] = [values[index], others[index]];
      if (Object.is(a, b)) continue;
      const difference = Math.abs(Number(a) - Number(b)) / Math.max(1, Math.abs(Number(a)));
      largest = Math.max(largest, difference);
    }
  }
  return largest;
}
