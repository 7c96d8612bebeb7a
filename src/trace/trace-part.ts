import type { Device } from '../core/device.ts';

/**
 * What one session left that was traced: where the runtime's profile lies, and when each of its runs was asked for. Plain
 * data that is kept as JSON beside the profile.
 */
export interface TracePart {
  /** What requests are told apart by, such as `mobilenetv2:int8`. */
  readonly modelId: string;
  /** The file of the model, absolute. What calibrates is made from it, and has outputs besides. */
  readonly modelPath?: string;
  readonly phase: 'calibrate' | 'evaluate' | 'bench';
  readonly device: Device;
  /** Inside an operator; 0 for every core. Absent in parts of older versions. */
  readonly threads?: number;
  readonly pid: number;
  /** Of the thread that called the model, for people, such as `bench int8, lane 1`. */
  readonly thread: string;
  /** What ONNX Runtime wrote, in its own format. Absent where the session was not profiled: requests are known then, and no operators. */
  readonly profileFile?: string;
  /** The zero of the times below: monotonic nanoseconds, a decimal number. */
  readonly baseNs: string;
  /** Every run that the profile has, in their order: when it was called. */
  readonly startsNs: readonly number[];
  /** When it returned. */
  readonly endsNs: readonly number[];
  /** When it was due, in the scenarios that have a schedule; as long as `startsNs`. */
  readonly duesNs?: readonly number[];
  /** Runs before this one warmed the session up and are no requests. */
  readonly firstRequest: number;
}
