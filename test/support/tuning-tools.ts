import type { NamedTensors } from '../../src/core/tensor.ts';
import { placeFor, quantizedCopy } from '../../src/jobs/quantized-copy.ts';
import type { OnnxModel } from '../../src/onnx/model-file.ts';
import { type GraphView, viewGraph } from '../../src/quantization/graph-view.ts';
import { rangesOfEdges } from '../../src/quantization/ranges-of-edges.ts';
import type { StaticRecipe } from '../../src/quantization/recipe.ts';
import { multiplyHere } from '../../src/quantization/reconstruction/matrix-product.ts';
import type { Draft } from '../../src/quantization/tuning/draft.ts';
import { createDraftStatistics } from '../../src/quantization/tuning/draft-statistics.ts';
import { createOutputError } from '../../src/quantization/tuning/output-error.ts';
import type { TuningTools } from '../../src/quantization/tuning/tuning-pass.ts';
import { naiveRanges, recipeWith } from './quantize-in-memory.ts';
import { type Feeds, runModel } from './run-model.ts';

type Run = { readonly reference: NamedTensors; readonly candidate: NamedTensors };

/** Tools whose models run in memory, with exact ranges, on samples to learn from and others to judge by. */
export function tuningTools(
  original: OnnxModel,
  samples: { readonly learn: readonly Feeds[]; readonly judge: readonly Feeds[] },
  more: Partial<StaticRecipe> = {},
): TuningTools & { readonly draft: () => Promise<Draft> } {
  const recipe = recipeWith(more);
  const quantize = ({ view, ranges, constants, left = new Map() }: Draft) =>
    quantizedCopy(view, recipe, { ranges, constants, left });
  const settle = async (view: GraphView): Promise<Draft> => {
    const placement = placeFor(view, recipe);
    const ranges = await naiveRanges(view.model, new Set(placement.edges.values()), samples.learn);
    return { view, placement, ranges, constants: new Map() };
  };
  const learn: TuningTools['learn'] = async function* (model, limit = samples.learn.length) {
    for (const [sample, feeds] of samples.learn.slice(0, limit).entries()) {
      const outputs = (await runModel(model, feeds)) as unknown as NamedTensors;
      yield { sample, feeds: feeds as unknown as NamedTensors, outputs };
    }
  };
  const judged = async (draft: Draft) => {
    const error = createOutputError();
    const model = quantize(draft);
    for (const feeds of samples.judge) {
      const [reference, candidate] = [await runModel(original, feeds), await runModel(model, feeds)];
      const run = { reference, candidate } as unknown as Run;
      error.add(run.reference, run.candidate);
    }
    return error;
  };
  return {
    recipe,
    quantize,
    settle,
    learn,
    statistics: createDraftStatistics(learn),
    leave: (from, more) => {
      const left = new Map([...(from.left ?? []), ...more]);
      const ranges = rangesOfEdges(from.placement, from.ranges);
      return { ...from, left, ranges, placement: placeFor(from.view, recipe, left) };
    },
    multiply: multiplyHere,
    draft: () => settle(viewGraph(original)),
    judge: async (draft) => (await judged(draft)).sqnrDb(),
    noiseShares: async (draft) => (await judged(draft)).shares(),
  };
}
