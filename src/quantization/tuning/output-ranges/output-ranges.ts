import type { ValueRange } from '../../affine.ts';
import { readExtremes } from '../../calibration/extremes.ts';
import { type ObservedExtremes, observeTensors } from '../../calibration/observation.ts';
import { qdqSettings } from '../../qdq-settings.ts';
import type { Draft } from '../draft.ts';
import type { TuningPass, TuningTools } from '../tuning-pass.ts';
import { lowerEnds, nearbyEnds, upperEnds } from './range-candidates.ts';
import { withRangeTrials } from './range-trials.ts';

/** So many samples tell one range from another: each brings thousands of values. */
const SAMPLES = 16;
/** What takes away no more than this share of the noise is not worth another range. */
const LEAST_GAIN = 0.02;

/**
 * Moves the ends of ranges to where the nodes that read a tensor are least disturbed. Methods of calibration look at a
 * tensor alone, for which a value is as good as another; what reads it may live on the rare large values, which a
 * narrower range cuts off, or not see them at all. For each range some others are tried at once, beside the float model,
 * one end at a time; noise counts relative to the energy of what a node gives, sample by sample.
 * What is so found layer by layer is judged as a whole, as every pass is: small errors of one layer may cancel in the next or add up.
 * Sources: the error behind a layer as what quantizers are chosen by, from Hubara et al., «Improving post training neural quantization:
 * layer-wise calibration and integer programming» (2020); the search beside what was found for each tensor alone from Nahshan et al.,
 * «Loss aware post-training quantization» (2019).
 */
export const outputRanges: TuningPass = {
  name: 'output-ranges',
  run: async (draft, tools) => {
    const extremes = await findExtremes(draft, tools);
    let ranges = draft.ranges;
    for (const candidatesFor of [upperEnds, lowerEnds, nearbyEnds]) {
      const candidates = new Map<string, readonly ValueRange[]>();
      for (const [source, seen] of extremes) {
        const range = ranges.get(source);
        const others = range === undefined ? [] : candidatesFor(range, seen);
        if (range !== undefined && others.length > 0) candidates.set(source, [range, ...others]);
      }
      if (candidates.size > 0) ranges = new Map([...ranges, ...(await bestRanges(draft, candidates, tools))]);
    }
    const moved = [...ranges].filter(([source, range]) => range !== draft.ranges.get(source)).length;
    if (moved === 0) return { changed: 0, reason: 'no other range serves what reads it better' };
    const reason = `${moved} of ${extremes.size} ranges moved by what reads them`;
    return { draft: { ...draft, ranges }, changed: moved, reason };
  },
};

/** The extremes of every tensor that a range belongs to, each widened to hold 0. */
async function findExtremes(draft: Draft, { learn }: TuningTools): Promise<ReadonlyMap<string, ValueRange>> {
  const sources = [...new Set(draft.placement.edges.values())];
  const { model, observed } = observeTensors(draft.view, sources, { values: false });
  const extremes = new Map<string, ValueRange>(sources.map((source) => [source, { min: 0, max: 0 }]));
  for await (const { sample, outputs } of learn(model, SAMPLES)) {
    for (const tensor of observed as readonly ObservedExtremes[]) {
      const seen = readExtremes(tensor, sample, outputs);
      const known = extremes.get(tensor.tensor) ?? seen;
      extremes.set(tensor.tensor, {
        min: Math.min(known.min, seen.min),
        max: Math.max(known.max, seen.max),
      });
    }
  }
  return extremes;
}

/** Those of the candidates that are better than the first of their tensor. */
async function bestRanges(
  draft: Draft,
  candidates: ReadonlyMap<string, readonly ValueRange[]>,
  { learn, recipe }: TuningTools,
): Promise<ReadonlyMap<string, ValueRange>> {
  const { model, trials } = withRangeTrials(draft, candidates, qdqSettings(recipe).activations);
  const noiseOf = new Map([...candidates].map(([source, of]) => [source, new Float64Array(of.length)]));
  for await (const { outputs } of learn(model, SAMPLES)) {
    const figure = (output: string) => Number(outputs[output]?.data[0]);
    for (const { source, candidate, noiseOutput, signalOutput } of trials) {
      const noise = noiseOf.get(source);
      const signal = figure(signalOutput);
      if (noise === undefined || signal === 0) continue;
      noise[candidate] = (noise[candidate] as number) + figure(noiseOutput) / signal;
    }
  }
  const best = new Map<string, ValueRange>();
  for (const [source, noise] of noiseOf) {
    const least = noise.reduce((lowest, of, at) => (of < (noise[lowest] as number) ? at : lowest), 0);
    const isWorthIt = (noise[least] as number) < (1 - LEAST_GAIN) * (noise[0] as number);
    const range = candidates.get(source)?.[least];
    if (isWorthIt && range !== undefined) best.set(source, range);
  }
  return best;
}
