import type { TaskSettings } from '../../evaluation/tasks/create-task.ts';
import type { TaskData } from '../task-data.ts';

/** Find out what each quantized node of a model costs, and why. */
export interface ExplainTask {
  readonly kind: 'explain';
  readonly referencePath: string;
  readonly candidatePath: string;
  readonly data: TaskData;
  /** At most so many samples, spread evenly over the split. */
  readonly samples: number;
  readonly task: TaskSettings;
  /** Whether the task was named; one that was not is left out where the outputs are not of it. */
  readonly taskIsNamed: boolean;
  /** A folder for working files. */
  readonly scratch: string;
  /** Threads inside an operator; 0 for every core. */
  readonly threads: number;
  /** Only so many nodes are measured at the outputs: those whose own results are furthest off. */
  readonly top?: number;
  /** After so long no further node is measured at the outputs. */
  readonly timeLimitSeconds?: number;
}
