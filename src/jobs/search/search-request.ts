import type { Clock } from '../../core/clock.ts';
import type { SearchGoals } from '../../core/goal.ts';
import type { SearchScope } from '../../quantization/search/candidates.ts';
import type { EvaluateTask, EvaluationBudget } from '../evaluate-task.ts';
import type { TaskData } from '../task-data.ts';
import type { SearchProgress } from './run-search.ts';
import type { SearchWorkers } from './search-workers.ts';

/** Search the recipe that suits a model, this host and a budget. */
export interface SearchRequest {
  readonly modelPath: string;
  /** Gets the best so far, again and again. */
  readonly outputPath: string;
  /** What was measured, and the models that are in the running. */
  readonly stateFolder: string;
  /** What candidates are made from and chosen by; its samples are divided. */
  readonly data: TaskData;
  /** At most so many samples of it. */
  readonly samples?: number;
  readonly scope: SearchScope;
  readonly task: EvaluateTask['task'];
  readonly budget: EvaluationBudget;
  readonly goals: SearchGoals;
  readonly timeLimitSeconds?: number;
  /** What the one that was chosen is measured on in the end, once; no candidate is chosen by it. */
  readonly evaluation?: { readonly data: TaskData; readonly samples?: number };
  /** Of the runtime while candidates are made and judged; 0 for every core. */
  readonly threads: number;
  /** At which latency is measured; 0 for every core. */
  readonly latencyThreads: number;
}

export interface SearchDeps {
  readonly workers: SearchWorkers;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SearchProgress) => void;
  /** Told who benchmarks on this host already and is waited for. */
  readonly onWaiting?: (holder: string) => void;
}
