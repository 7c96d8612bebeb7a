import { describe, expect, it } from 'vitest';
import { auditFusion } from '../../src/quantization/audit.ts';
import { graphOf } from '../support/chain.ts';
import {
  expectSamePorts,
  optimizedGraph,
  quantizeInMemory,
  runOptimized,
  sqnrDb,
} from '../support/quantize-in-memory.ts';
import { randomConvNet } from '../support/random-conv-net.ts';
import { runModel } from '../support/run-model.ts';

const NETS = 120;
const SMALLEST_SQNR_DB = 15;
/** What fusing may change: products summed in another order, codes at a rounding tie. */
const SMALLEST_FUSED_SQNR_DB = 35;

describe('a random convolutional net', () => {
  it.each(Array.from({ length: NETS }, (_, seed) => seed))(
    'of seed %i stays close to float32 and runs fused as planned',
    async (seed) => {
      const { model, samples } = randomConvNet(seed);
      const { quantized, prepared, placement } = await quantizeInMemory(model, samples);
      expectSamePorts(model, quantized);
      expect(placement.nodes.length).toBeGreaterThan(0);

      const optimized = await optimizedGraph(quantized);
      expect(auditFusion(placement.nodes, graphOf(quantized), optimized).notFused).toEqual([]);

      const [feeds = {}] = samples;
      const float = await runModel(prepared, feeds);
      const asWritten = await runModel(quantized, feeds);
      expect(sqnrDb(float, asWritten)).toBeGreaterThan(SMALLEST_SQNR_DB);
      expect(sqnrDb(asWritten, await runOptimized(quantized, feeds))).toBeGreaterThan(SMALLEST_FUSED_SQNR_DB);
    },
  );
});
