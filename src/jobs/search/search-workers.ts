import type { Problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import type { QuantizeReport, QuantizeTask } from '../quantize-task.ts';
import { runQuantization } from '../run-quantization.ts';
import { runTask, type WorkerControls, type WorkerHost } from '../worker-process.ts';
import type { WorkerTask } from '../worker-protocol.ts';
import {
  type TimedCandidates,
  type TimingDeps,
  type TimingOrder,
  timeCandidates,
} from './time-candidates.ts';

/** Whoever does the work of a search, in processes of their own. */
export interface SearchWorkers {
  quantize(task: QuantizeTask, controls: WorkerControls): Promise<Result<QuantizeReport, Problem>>;
  run(task: WorkerTask, controls: WorkerControls): Promise<Result<unknown, Problem>>;
  time(order: TimingOrder, deps: Omit<TimingDeps, 'host'>): Promise<Result<TimedCandidates, Problem>>;
}

export function searchWorkers(host: WorkerHost): SearchWorkers {
  return {
    quantize: (task, controls) => runQuantization(host, task, controls),
    run: (task, controls) => runTask(host, task, controls),
    time: (order, deps) => timeCandidates(order, { ...deps, host }),
  };
}
