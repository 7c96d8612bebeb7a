import type { Problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import type { SearchCandidate } from '../../quantization/search/candidates.ts';
import type {
  AccuracyFigures,
  BuiltFigures,
  LatencyFigures,
  MeasuredCandidate,
} from './measured-candidate.ts';

/** Which of the samples that choose a candidate is measured on: `few` to see which are worth a closer look, or all. */
export type SampleCount = 'few' | 'all';

/** What a search needs of the world. What was measured before may come from a journal. */
export interface SearchPorts {
  /** Makes the model of a candidate. `cancelled` where the user or the time wants that. */
  build(candidate: SearchCandidate, withinSeconds: number): Promise<Result<BuiltFigures, Problem>>;
  /** Measures its accuracy on samples that it was not made from; `cancelled` as above. */
  judge(
    candidate: SearchCandidate,
    samples: SampleCount,
    withinSeconds: number,
  ): Promise<Result<AccuracyFigures, Problem>>;
  /** Measures the latency of candidates by turns with float32; by their labels. One that fails has none. */
  time(candidates: readonly SearchCandidate[]): Promise<Result<ReadonlyMap<string, LatencyFigures>, Problem>>;
  /** Saves the model of a candidate as the best so far, where it is at hand. */
  keep(best: MeasuredCandidate): Promise<void>;
  /** Saves the model of the candidate that was chosen, made again if need be. */
  deliver(chosen: MeasuredCandidate): Promise<Result<undefined, Problem>>;
  /** Nobody will ask for the model of this candidate again. */
  discard(candidate: SearchCandidate): Promise<void>;
  /** Whether the candidate was made before, so that it takes no time. */
  isKnown(candidate: SearchCandidate): boolean;
  /** Until the search has to end; infinite without a limit. */
  secondsLeft(): number;
  /** Whether the user wants it to end. */
  isCancelled(): boolean;
}
