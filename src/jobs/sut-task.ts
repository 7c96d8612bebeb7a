import type { Device } from '../core/device.ts';
import type { CarriedState } from '../data/carried-state.ts';
import type { TaskData } from './task-data.ts';

/** Hold one model ready as a system under test; answered when it is loaded, then `SutCommand`s follow. */
export interface SutTask {
  readonly kind: 'sut';
  readonly modelPath: string;
  readonly device: Device;
  readonly data: TaskData;
  /** Threads inside an operator; 0 for every core. */
  readonly threads: number;
  /** Sessions that run side by side, each in a thread of its own. */
  readonly lanes: number;
  /** Samples that one run works through. */
  readonly batch: number;
  /** Of a recurrent model. Each sample is measured with the states that the samples before it lead to. */
  readonly states?: readonly CarriedState[];
}
