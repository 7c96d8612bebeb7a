import { ProblemError, problem } from '../core/problem.ts';
import type { GraphProto } from '../onnx/messages.ts';
import { INT8_REDUCED, INT8_SYMMETRIC } from '../quantization/affine.ts';
import { auditFusion, type FusionAudit } from '../quantization/audit.ts';
import { auditDynamic } from '../quantization/dynamic/audit-dynamic.ts';
import { quantizeDynamically } from '../quantization/dynamic/quantize-dynamically.ts';
import { convertToFloat16 } from '../quantization/float16/convert-to-float16.ts';
import type { GraphView } from '../quantization/graph-view.ts';
import { insertQdq } from '../quantization/insert-qdq.ts';
import { type FloatNode, placeQuantization } from '../quantization/placement.ts';
import type { Recipe, StaticInt8Recipe } from '../quantization/recipe.ts';
import { auditWeightsOnly } from '../quantization/weight-only/audit-weights-only.ts';
import { quantizeWeightsOnly } from '../quantization/weight-only/quantize-weights-only.ts';
import { calibrateModel } from './calibrate-model.ts';
import { float16Notes } from './float16-notes.ts';
import type { PhaseRecorder } from './phase-recorder.ts';
import { peakRssBytes } from './process-memory.ts';
import type { CalibrationReport, QuantizeTask } from './quantize-task.ts';
import type { TaskContext } from './task-context.ts';
import { unwrap } from './unwrap.ts';

/** What a recipe has made of a model's graph. */
export interface AppliedRecipe {
  /** Nodes that the recipe changed. */
  readonly quantized: number;
  readonly float: readonly FloatNode[];
  readonly calibration?: CalibrationReport;
  readonly warnings: readonly string[];
  /** Judges the graph that the runtime wrote after its fusions; absent where the recipe wants no kernels of its own. */
  readonly audit?: (optimized: GraphProto) => FusionAudit;
}

interface RecipeRun {
  readonly task: QuantizeTask;
  readonly scratch: string;
  readonly phase: PhaseRecorder;
  readonly context: TaskContext;
}

/** Changes the prepared graph as the recipe says. Throws `ProblemError`, `nothing-to-quantize` among them. */
export async function applyRecipe(view: GraphView, recipe: Recipe, run: RecipeRun): Promise<AppliedRecipe> {
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

const NEEDS: Readonly<Record<Recipe['format'], string>> = {
  'static-int8': 'it needs Conv, Gemm or MatMul nodes with constant float32 weights',
  'dynamic-int8':
    'it needs Gemm, MatMul or LSTM nodes with constant float32 weights that are large enough to pay',
  'weight-int8': 'it needs MatMul or Gemm nodes with constant weights',
  'weight-int4': 'it needs MatMul or Gemm nodes with constant weights',
  float16: 'it needs nodes that compute on float32 and may compute on float16',
};

async function apply(view: GraphView, recipe: Recipe, run: RecipeRun): Promise<AppliedRecipe> {
  switch (recipe.format) {
    case 'static-int8':
      return applyStatic(view, recipe, run);
    case 'dynamic-int8':
      return run.phase('quantize', async () => {
        const { quantized, float } = unwrap(quantizeDynamically(view, recipe));
        const audit = (optimized: GraphProto) => auditDynamic(quantized, optimized);
        return { quantized: quantized.length, float, warnings: [], audit };
      });
    case 'weight-int8':
    case 'weight-int4':
      return run.phase('quantize', async () => {
        const { quantized, float } = unwrap(quantizeWeightsOnly(view, recipe));
        const audit = (optimized: GraphProto) => auditWeightsOnly(quantized, view.graph, optimized);
        return { quantized: quantized.length, float, warnings: [], audit };
      });
    case 'float16':
      return run.phase('quantize', async () => {
        const report = unwrap(convertToFloat16(view, recipe));
        return { quantized: report.converted, float: report.float, warnings: float16Notes(report) };
      });
  }
}

async function applyStatic(
  view: GraphView,
  recipe: StaticInt8Recipe,
  run: RecipeRun,
): Promise<AppliedRecipe> {
  const { task, phase, context } = run;
  const placement = placeQuantization(view, recipe);
  const { nodes, float, edges } = placement;
  if (nodes.length === 0) return { quantized: 0, float, warnings: [] };
  const { data } = task;
  if (data === undefined) {
    throw new ProblemError(
      problem('no-calibration-data', 'static-int8 needs calibration data', {
        hint: 'name it with --calibration, or take dynamic-int8, which needs none',
      }),
    );
  }
  const calibration = await phase('calibrate', () =>
    calibrateModel(view, [...new Set(edges.values())], recipe.calibration, { ...run, data }, context),
  );
  const { ranges, ...figures } = calibration;
  const report = { method: recipe.calibration.method, ...figures, peakRssBytes: peakRssBytes() };
  const settings = {
    grid: recipe.reduceRange === true ? INT8_REDUCED : INT8_SYMMETRIC,
    perTensor: recipe.perTensor,
  };
  await phase('quantize', async () => unwrap(insertQdq(view, placement, ranges, settings)));
  return {
    quantized: nodes.length,
    float,
    calibration: report,
    warnings: [],
    audit: (optimized) => auditFusion(nodes, view.graph, optimized),
  };
}
