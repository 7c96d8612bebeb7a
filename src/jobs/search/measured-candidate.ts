import type { SearchCandidate } from '../../quantization/search/candidates.ts';
import type { QuantizeReport } from '../quantize-task.ts';

/** What is known of a candidate by its file alone. */
export interface BuiltFigures {
  readonly sizeBytes: number;
  /** Nodes that the recipe changed. */
  readonly quantized: number;
  /** Of them, those that the runtime runs in the small type; null where it does not tell. */
  readonly fused: number | null;
  /** Nodes that its latency gate left float; absent where it had none. */
  readonly gate?: { readonly leftNodes: readonly string[] };
  /** What making it took. */
  readonly seconds: number;
  /** All that its quantization told. */
  readonly report?: QuantizeReport;
}

/**
 * What may be said of a candidate's accuracy.
 * `kept`: with the confidence of the budget, no more is lost than it allows. `undecided`: no more was seen to be lost, but on
 * too few samples to be sure. `doubtful`: more was seen to be lost, on too few samples to be sure. `missed`: more is lost.
 */
export type Standing = 'kept' | 'undecided' | 'doubtful' | 'missed';

/** Accuracy on the samples that candidates are chosen by. */
export interface AccuracyFigures {
  readonly samples: number;
  /** What was judged by: a metric of the task, `agreement` or `sqnr_db`. */
  readonly metric: string;
  /** Of the candidate and of float32, in the unit of the metric; null where they have no value. */
  readonly value: number | null;
  readonly reference: number | null;
  /** How much worse the candidate is, and an upper bound of that; null as above. */
  readonly loss: number | null;
  readonly lossUpperBound: number | null;
  /** The loss that the budget allows. */
  readonly allowed: number;
  /** Share of the answers that are those of float32; absent for outputs that are no answers. */
  readonly agreement?: number;
  /** Of the first output; null where nothing differs. */
  readonly sqnrDb: number | null;
  readonly standing: Standing;
  /** Sentences with the figures that decided. */
  readonly reason: string;
}

/** Latency of one query on this host, in rounds in which float32 and all timed candidates took turns. */
export interface LatencyFigures {
  readonly medianSeconds: number;
  readonly float32Seconds: number;
  /** Float32 over candidate, with its 95 % interval; null with too few rounds. */
  readonly speedUp: { readonly ratio: number; readonly lower: number; readonly upper: number } | null;
  /** Labels of those that are faster beyond doubt. */
  readonly slowerThan: readonly string[];
  /** Why the figures are not to be relied on; empty where they are. */
  readonly invalidReasons: readonly string[];
}

export interface MeasuredCandidate {
  readonly candidate: SearchCandidate;
  readonly built: BuiltFigures;
  readonly accuracy?: AccuracyFigures;
  readonly latency?: LatencyFigures;
}
