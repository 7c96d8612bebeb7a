import { ProblemError, problem } from '../core/problem.ts';
import type { GraphProto } from '../onnx/messages.ts';
import { auditDynamic } from '../quantization/dynamic/audit-dynamic.ts';
import { quantizeDynamically } from '../quantization/dynamic/quantize-dynamically.ts';
import { convertToFloat16 } from '../quantization/float16/convert-to-float16.ts';
import type { GraphView } from '../quantization/graph-view.ts';
import type { Recipe } from '../quantization/recipe.ts';
import { targetRefusal } from '../quantization/target-refusal.ts';
import type { AppliedRecipe, RecipeRun } from './applied-recipe.ts';
import { applyStatic } from './apply-static.ts';
import { applyWeightsOnly } from './apply-weights-only.ts';
import { float16Notes } from './float16-notes.ts';
import { unwrap } from './unwrap.ts';

/** Changes the prepared graph as the recipe says. Throws `ProblemError`, `nothing-to-quantize` among them. */
export async function applyRecipe(view: GraphView, recipe: Recipe, run: RecipeRun): Promise<AppliedRecipe> {
  const mismatch = targetRefusal(recipe);
  if (mismatch !== undefined) throw new ProblemError(mismatch);
  const applied = await apply(view, recipe, run);
  if (applied.quantized > 0) return applied;
  const reasons = applied.float.slice(0, 3).map(({ node, op, reason }) => `${op} '${node}': ${reason}`);
  throw new ProblemError(
    problem(
      'nothing-to-quantize',
      `the recipe ${recipe.format} finds nothing to do. ${reasons.join('; ')}`.trim(),
      {
        place: { file: view.model.path ?? '' },
        hint: NEEDS[recipe.format],
      },
    ),
  );
}

const NEEDS_ANCHORS = 'it needs Conv, Gemm or MatMul nodes with constant float32 weights';

const NEEDS: Readonly<Record<Recipe['format'], string>> = {
  'static-int8': NEEDS_ANCHORS,
  'static-int16': NEEDS_ANCHORS,
  'dynamic-int8':
    'it needs Gemm, MatMul or LSTM nodes with constant float32 weights that are large enough to pay',
  'weight-int8': 'it needs MatMul or Gemm nodes with constant weights',
  'weight-int4': 'it needs MatMul or Gemm nodes with constant weights',
  float16: 'it needs nodes that compute on float32 and may compute on float16',
};

async function apply(view: GraphView, recipe: Recipe, run: RecipeRun): Promise<AppliedRecipe> {
  switch (recipe.format) {
    case 'static-int8':
    case 'static-int16':
      return applyStatic(view, recipe, run);
    case 'dynamic-int8':
      return run.phase('quantize', async () => {
        const { quantized, float } = unwrap(quantizeDynamically(view, recipe));
        const audit = (optimized: GraphProto) => auditDynamic(quantized, optimized);
        return { quantized: quantized.length, float, warnings: [], audit };
      });
    case 'weight-int8':
    case 'weight-int4':
      return applyWeightsOnly(view, recipe, run);
    case 'float16':
      return run.phase('quantize', async () => {
        const report = unwrap(convertToFloat16(view, recipe));
        return { quantized: report.converted, float: report.float, warnings: float16Notes(report) };
      });
  }
}
