import type { GraphProto } from '../onnx/messages.ts';
import type { FusionAudit } from '../quantization/audit.ts';
import type { FloatNode } from '../quantization/placement.ts';
import type { TuningReport } from '../quantization/tuning/tune.ts';
import type { LatencyGateReport } from './latency-gate.ts';
import type { PhaseRecorder } from './phase-recorder.ts';
import type { CalibrationReport, QuantizeTask } from './quantize-task.ts';
import type { TaskContext } from './task-context.ts';

/** What a recipe has made of a model's graph. */
export interface AppliedRecipe {
  /** Nodes that the recipe changed. */
  readonly quantized: number;
  readonly float: readonly FloatNode[];
  readonly calibration?: CalibrationReport;
  readonly latencyGate?: LatencyGateReport;
  readonly tuning?: TuningReport;
  readonly warnings: readonly string[];
  /** Judges the graph that the runtime wrote after its fusions; absent where the recipe wants no kernels of its own. */
  readonly audit?: (optimized: GraphProto) => FusionAudit;
}

export interface RecipeRun {
  readonly task: QuantizeTask;
  readonly scratch: string;
  readonly phase: PhaseRecorder;
  readonly context: TaskContext;
}
