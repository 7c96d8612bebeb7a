import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { attemptAsync } from '../../src/core/problem.ts';
import { leaveSlowParts } from '../../src/jobs/leave-slow-parts.ts';
import { readModel } from '../../src/onnx/model-file.ts';
import { eliminateDead } from '../../src/onnx/passes/eliminate-dead.ts';
import { nameNodes } from '../../src/onnx/passes/name-nodes.ts';
import { prepareModel } from '../../src/onnx/passes/prepare.ts';
import { viewGraph } from '../../src/quantization/graph-view.ts';
import { insertQdq } from '../../src/quantization/insert-qdq.ts';
import { placeQuantization } from '../../src/quantization/placement.ts';
import { qdqSettings } from '../../src/quantization/qdq-settings.ts';
import {
  copyOf,
  expectSamePorts,
  naiveRanges,
  recipeWith,
  runOptimized,
  sqnrDb,
} from '../support/quantize-in-memory.ts';
import { findRealModels, listRealModels, skipWithoutRealModels } from '../support/real-models.ts';
import { wavyFeed } from '../support/run-model.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

/** Models in which much or all of int8 does not pay, and the shape of their input. */
const SUBJECTS: Readonly<Record<string, readonly number[]>> = {
  'mnist.onnx': [1, 1, 28, 28],
  'kwt1_mfcc.onnx': [98, 40],
  'kwt1_wave.onnx': [1, 16_000],
};

const REAL = findRealModels();

describe('leaving slow parts of real models in float32', () => {
  skipWithoutRealModels(REAL);

  it.each(listRealModels(REAL).filter(({ path }) => basename(path) in SUBJECTS))(
    'gives for $name a model that is no slower than float32, or says that there is none',
    async ({ name, path }) => {
      const prepared = unwrap(readModel(path));
      unwrap(await prepareModel(prepared));
      nameNodes(prepared);
      const view = viewGraph(prepared);
      const recipe = recipeWith();
      const placement = placeQuantization(view, recipe);
      const input = view.graph.input[0]?.name ?? '';
      const feeds = { [input]: wavyFeed(...(SUBJECTS[name] as readonly number[])) };
      const ranges = await naiveRanges(prepared, new Set(placement.edges.values()), [feeds]);
      const before = JSON.stringify(view.graph.node.map(({ name: of, input: reads }) => [of, reads]));
      const task = { kind: 'quantize', modelPath: path, outputPath: '', recipe, threads: 1 } as const;
      const result = await attemptAsync(() =>
        leaveSlowParts(view, { placement, ranges }, recipe, {
          task,
          scratch: temporaryFolder(),
          context: { clock: systemClock, emit: () => {} },
        }),
      );
      expect(JSON.stringify(view.graph.node.map(({ name: of, input: reads }) => [of, reads]))).toBe(before);
      if (!result.ok) {
        expect(result.error).toMatchObject({ kind: 'int8-not-faster', place: { file: path } });
        return;
      }
      const { placement: chosen, ranges: allRanges, report } = result.value;
      expect(report?.outcome).not.toBe('slower');
      expect(report?.speedUp.upper).toBeGreaterThan(1);
      const planned = new Set(placement.nodes.map(({ node }) => node.name));
      const left = chosen.float.filter(({ reason }) => reason.startsWith('int8 was measured slower'));
      expect(left).toHaveLength(report?.leftFloat ?? -1);
      for (const { node } of left) expect(planned).toContain(node);
      expect(chosen.nodes.length).toBeGreaterThan(0);

      const quantized = copyOf(prepared);
      const copy = viewGraph(quantized);
      const sameLeft = new Map(left.map(({ node, reason }) => [node, reason]));
      unwrap(insertQdq(copy, placeQuantization(copy, recipe, sameLeft), allRanges, qdqSettings(recipe)));
      eliminateDead(quantized);
      expectSamePorts(prepared, quantized);
      const reference = await runOptimized(prepared, feeds);
      expect(sqnrDb(reference, await runOptimized(quantized, feeds))).toBeGreaterThan(10);
    },
    120_000,
  );
});
