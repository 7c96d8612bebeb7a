import type { TracedPassSpec } from '../benchmark/traced-pass.ts';
import type { Problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import type { TracePart } from '../trace/trace-part.ts';

/** Where traced sessions leave their profiles and parts, and what the requests of the model are known by. */
export interface TraceSpool {
  /** An existing folder. */
  readonly folder: string;
  /** Such as `mobilenetv2:int8`. */
  readonly modelId: string;
  /** Of the thread, for people, such as `bench int8`. */
  readonly thread: string;
}

/** A pass that is traced, and where its trace goes. */
export interface TracedPassOrder {
  readonly spec: TracedPassSpec;
  readonly spool: TraceSpool;
}

/** What a lane is asked about tracing, also in the middle of a load. */
export type TraceOrder =
  | {
      readonly kind: 'begin';
      readonly spool: TraceSpool;
      /** The next run is traced; otherwise none is before `TraceSwitch` says so. */
      readonly atOnce: boolean;
    }
  | { readonly kind: 'end' };

/** What answers them: nothing for a beginning, for an end what was traced; null where no run was. */
export type TraceAnswer = Result<TracePart | null, Problem>;

/** Memory that a lane and its process share. The lane looks at it before every run, where nothing is timed. */
export interface TraceSwitch {
  /** See the indices below. */
  readonly control: Int32Array<SharedArrayBuffer>;
}

/** How many orders were given so far. */
const GIVEN = 0;
/** Not 0 where runs go to the traced session. */
const TRACED = 1;

export function createTraceSwitch(): TraceSwitch {
  return { control: new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)) };
}

/** Tells the lane that an order lies in its port. */
export function announceOrder({ control }: TraceSwitch): void {
  Atomics.add(control, GIVEN, 1);
}

export function ordersGiven({ control }: TraceSwitch): number {
  return Atomics.load(control, GIVEN);
}

/** From its next run on the lane uses the traced session, if it has one, or the ordinary one. */
export function switchTracing({ control }: TraceSwitch, traced: boolean): void {
  Atomics.store(control, TRACED, traced ? 1 : 0);
}

export function isTracing({ control }: TraceSwitch): boolean {
  return Atomics.load(control, TRACED) !== 0;
}
