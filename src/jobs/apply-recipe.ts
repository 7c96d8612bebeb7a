import { ProblemError, problem } from '../core/problem.ts';
import type { GraphProto } from '../onnx/messages.ts';
import { auditFusion, type FusionAudit } from '../quantization/audit.ts';
import { auditDynamic } from '../quantization/dynamic/audit-dynamic.ts';
import { quantizeDynamically } from '../quantization/dynamic/quantize-dynamically.ts';
import { convertToFloat16 } from '../quantization/float16/convert-to-float16.ts';
import type { GraphView } from '../quantization/graph-view.ts';
import { insertQdq } from '../quantization/insert-qdq.ts';
import { placeForTensorrt } from '../quantization/place-for-tensorrt.ts';
import { type FloatNode, placeQuantization } from '../quantization/placement.ts';
import { qdqSettings } from '../quantization/qdq-settings.ts';
import { raiseOpset, requireRaisable } from '../quantization/raise-opset.ts';
import type { Recipe, StaticRecipe } from '../quantization/recipe.ts';
import { targetRefusal } from '../quantization/targets.ts';
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

async function applyStatic(view: GraphView, recipe: StaticRecipe, run: RecipeRun): Promise<AppliedRecipe> {
  const { task, phase, context } = run;
  const isWide = recipe.format === 'static-int16';
  const { proto } = view.model;
  if (isWide) requireRaisable(proto, 'Q/DQ with 16 bits');
  const place = recipe.target === 'tensorrt' ? placeForTensorrt : placeQuantization;
  const placement = place(view, recipe);
  const { nodes, float, edges } = placement;
  if (nodes.length === 0) return { quantized: 0, float, warnings: [] };
  const { data } = task;
  if (data === undefined) {
    throw new ProblemError(
      problem('no-calibration-data', `${recipe.format} needs calibration data`, {
        hint: 'name it with --calibration, or take dynamic-int8, which needs none',
      }),
    );
  }
  const calibration = await phase('calibrate', () =>
    calibrateModel(view, [...new Set(edges.values())], recipe.calibration, { ...run, data }, context),
  );
  const { ranges, ...figures } = calibration;
  const report = { method: recipe.calibration.method, ...figures, peakRssBytes: peakRssBytes() };
  await phase('quantize', async () => unwrap(insertQdq(view, placement, ranges, qdqSettings(recipe))));
  if (isWide) raiseOpset(proto);
  const runsHere = recipe.format === 'static-int8' && recipe.target !== 'tensorrt';
  return {
    quantized: nodes.length,
    float,
    calibration: report,
    warnings: runsHere ? [] : [notProvenHere(recipe)],
    ...(runsHere ? { audit: (optimized) => auditFusion(nodes, view.graph, optimized) } : {}),
  };
}

function notProvenHere({ target }: StaticRecipe): string {
  return target === 'tensorrt'
    ? 'accuracy was checked on the CPU; which kernels TensorRT takes can only be seen on a host with TensorRT'
    : 'the CPU provider computes between 16-bit roundings in float32: it shows the accuracy, and is slower than float32';
}
