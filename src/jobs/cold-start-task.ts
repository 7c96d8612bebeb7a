import type { Device } from '../core/device.ts';
import type { CarriedState } from '../data/carried-state.ts';
import type { TaskData } from './task-data.ts';

/** Load a model and run it until it is at its speed, and say how long each part took. */
export interface ColdStartTask {
  readonly kind: 'cold-start';
  readonly modelPath: string;
  readonly device: Device;
  readonly data: TaskData;
  /** Threads inside an operator; 0 for every core. */
  readonly threads: number;
  readonly states?: readonly CarriedState[];
  readonly windowDurationNs: number;
  readonly maxDurationNs: number;
}
