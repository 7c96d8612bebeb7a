import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { scratchModelOpener } from '../../src/jobs/scratch-models.ts';
import { DATA_TYPE, type ValueInfoProto } from '../../src/onnx/messages.ts';
import { type OnnxModel, readModel } from '../../src/onnx/model-file.ts';
import { prepareModel } from '../../src/onnx/passes/prepare.ts';
import { walkGraphs } from '../../src/onnx/traversal.ts';
import { graphOf, opTypesOf } from '../support/chain.ts';
import { findRealModels, listRealModels, skipWithoutRealModels } from '../support/real-models.ts';
import { type Feeds, runModel, wavyFeed } from '../support/run-model.ts';
import { expectSameResults } from '../support/same-results.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

const realModels = findRealModels();
const files = listRealModels(realModels);

/** What the folded models are known to contain. */
const NORMS_TO_FOLD: Readonly<Record<string, number>> = { 'resnet20.onnx': 21, 'version-RFB-320.onnx': 35 };

/** How many nodes, those in bodies included, are left once everything that is always the same is computed. */
const MOST_NODES: Readonly<Record<string, number>> = {
  'resnet20.onnx': 52,
  'version-RFB-320.onnx': 130,
  'silero_vad_16k_op15.onnx': 96,
  'mnist.onnx': 8,
};

describe('a real model', () => {
  skipWithoutRealModels(realModels);

  it.each(files.map(({ name, path }) => [name, path]))(
    '%s gives the same bits when it is prepared without folding and computing',
    async (_name, path) => {
      const given = unwrap(readModel(path));
      await expectSameResults(given, feedsFor(given), async (m) => {
        const report = unwrap(await prepareModel(m, { fold: false }));
        expect(report.liftOpset.toVersion).toBeGreaterThanOrEqual(13);
      });
    },
  );

  it.each(files.map(({ name, path }) => [name, path]))(
    '%s gives the same up to rounding when constants are computed and BatchNormalizations folded',
    async (name, path) => {
      const given = unwrap(readModel(path));
      const feeds = feedsFor(given);
      const before = await runModel(given, feeds);
      const report = unwrap(await prepareModel(given, { open: opener() }));
      expect(report.foldBatchNorm.count).toBe(NORMS_TO_FOLD[name] ?? 0);
      expect(allNodes(given).length).toBeLessThanOrEqual(MOST_NODES[name] ?? Number.POSITIVE_INFINITY);
      expect(opTypesOf(given)).not.toContain('BatchNormalization');
      const after = await runModel(given, feeds);
      for (const [output, tensor] of Object.entries(before)) {
        expect(relativeError(tensor, after[output]), output).toBeLessThan(5e-6);
      }
    },
  );
});

/** Feeds for the inputs that are no initializers; dimensions that are not fixed get 1, save those that must differ. */
function feedsFor(given: OnnxModel): Feeds {
  const initializers = new Set(graphOf(given).initializer.map(({ name }) => name));
  const inputs = graphOf(given).input.filter(({ name }) => !initializers.has(name));
  return Object.fromEntries(inputs.map((input) => [input.name ?? '', feedFor(input)]));
}

function feedFor({ name, type }: ValueInfoProto): Tensor {
  const dims = (type?.tensorType?.shape?.dim ?? []).map(({ dimValue }) => (dimValue ? dimValue : 1));
  // The one integer input is the sampling rate of the speech detector, which takes chunks of 576 samples.
  if (type?.tensorType?.elemType === DATA_TYPE.int64)
    return new Tensor('int64', BigInt64Array.of(16000n), dims);
  return name === 'input' && dims.length === 2 ? wavyFeed(1, 576) : wavyFeed(...dims);
}

function opener() {
  return scratchModelOpener(temporaryFolder(), 1);
}

function allNodes(given: OnnxModel): readonly unknown[] {
  const nodes: unknown[] = [];
  walkGraphs(graphOf(given), ({ node }) => nodes.push(...node));
  return nodes;
}

function relativeError(expected: Tensor, actual: Tensor | undefined): number {
  const a = expected.data as Float32Array;
  const b = actual?.data as Float32Array;
  const largest = a.reduce((most, entry) => Math.max(most, Math.abs(entry)), 0);
  return (
    a.reduce((most, entry, index) => Math.max(most, Math.abs(entry - (b[index] ?? Number.NaN))), 0) / largest
  );
}
