import type { LeftFloat } from '../placement.ts';
import { type LayerNoise, measureLayerNoise } from '../sensitivity/layer-noise.ts';
import { countLayerWork } from '../sensitivity/layer-work.ts';
import type { Draft } from './draft.ts';
import type { TuningPass, TuningTools } from './tuning-pass.ts';

const SAMPLES = 8;

/**
 * Leaves layers float32 until the outputs are as accurate as asked, as few of them as that takes: those first whose int8
 * costs most accuracy for the multiplications that it makes faster. The order comes from each layer quantized alone, how many are
 * left from models that are made and judged. Where the goal is out of reach, what came nearest is kept.
 * Source: accuracy-aware quantization as NNCF does it, and the greedy mixed precision of AIMET, with a price a layer.
 */
export function mixedPrecision(goalDb: number): TuningPass {
  return {
    name: 'mixed-precision',
    run: async (draft, tools) => {
      const before = await tools.judge(draft);
      if (before >= goalDb)
        return { changed: 0, reason: `${decibels(before)} reach the goal of ${goalDb} dB` };
      const noise = await measureLayerNoise(draft, tools, SAMPLES);
      const work = await countLayerWork(draft, tools);
      const price = ({ node }: LayerNoise) => work.get(node) ?? 1;
      const order = noise.toSorted((a, b) => b.noise / price(b) - a.noise / price(a));
      const found = await fewest(draft, order, goalDb, tools);
      if (found === undefined)
        return { changed: 0, reason: 'there is one layer only, and nothing would be left in int8' };
      const total = noise.reduce((sum, layer) => sum + price(layer), 0);
      const left = order.slice(0, found.count).reduce((sum, layer) => sum + price(layer), 0);
      const outcome =
        found.sqnrDb >= goalDb
          ? 'reaches the goal'
          : `misses the goal of ${goalDb} dB, which no number of layers reaches`;
      return {
        draft: found.draft,
        changed: found.count,
        reason: `${found.count} of ${noise.length} layers left float32 (${((100 * left) / total).toFixed(1)} % of the multiplications): ${decibels(found.sqnrDb)} ${outcome}`,
      };
    },
  };
}

interface Attempt {
  readonly count: number;
  readonly draft: Draft;
  readonly sqnrDb: number;
}

/** The smallest number of layers, in their order, that reaches the goal: doubled until one does, then by halves. */
async function fewest(
  draft: Draft,
  order: readonly LayerNoise[],
  goalDb: number,
  { leave, judge }: TuningTools,
): Promise<Attempt | undefined> {
  const most = order.length - 1;
  let best: Attempt | undefined;
  const attempt = async (count: number) => {
    const candidate = leave(draft, reasonsFor(order.slice(0, count)));
    const made = { count, draft: candidate, sqnrDb: await judge(candidate) };
    const reaches = made.sqnrDb >= goalDb;
    if (best === undefined || reaches || (best.sqnrDb < goalDb && made.sqnrDb > best.sqnrDb)) best = made;
    return reaches;
  };
  let below = 0;
  let above = 0;
  for (let count = 1; above === 0 && below < most; count = Math.min(most, 2 * count)) {
    if (await attempt(count)) above = count;
    else below = count;
  }
  while (above - below > 1) {
    const middle = Math.floor((below + above) / 2);
    if (await attempt(middle)) above = middle;
    else below = middle;
  }
  return best;
}

function reasonsFor(layers: readonly LayerNoise[]): LeftFloat {
  return new Map(
    layers.map(({ node, noise }) => [
      node,
      `int8 costs too much accuracy here: alone it leaves ${decibels(-10 * Math.log10(noise))}`,
    ]),
  );
}

function decibels(value: number): string {
  return `${value.toFixed(1)} dB`;
}
