import type { Device } from '../core/device.ts';
import type { CarriedState } from '../data/carried-state.ts';
import type { WorkOfRuns } from '../trace/roofline/roofline.ts';
import type { TaskData } from './task-data.ts';

/** Tell what the operators of a model compute and move, and how long they take. */
export interface ProfileOperatorsTask {
  readonly kind: 'profile-operators';
  readonly modelPath: string;
  readonly device: Device;
  readonly data: TaskData;
  /** Threads inside an operator, at least 1. */
  readonly threads: number;
  readonly states?: readonly CarriedState[];
  /** Runs that count. */
  readonly runs: number;
}

export interface ProfiledOperators extends WorkOfRuns {
  /** Why the times are not to be trusted, as sentences. Empty where nothing is known against them. */
  readonly doubts: readonly string[];
}
