import { concatenated } from '../concatenated.ts';

/**
 * Runs of the model in columns, one value a run. All times are nanoseconds since the start of the load.
 *
 * Response time is `doneNs - dueNs`, service time `doneNs - startNs`. The generator itself was late by
 * `startNs - max(dueNs, readyNs)`.
 */
export interface RunRecords {
  /** Index of the run in its load; it decides the sample. */
  readonly run: Float64Array;
  /** When it was to start; in a closed loop, when it did. */
  readonly dueNs: Float64Array;
  /** When a lane was free to take it. */
  readonly readyNs: Float64Array;
  /** When the model was called. */
  readonly startNs: Float64Array;
  /** When the model returned. */
  readonly doneNs: Float64Array;
}

const COLUMNS = ['run', 'dueNs', 'readyNs', 'startNs', 'doneNs'] as const;

export const VALUES_PER_RUN = COLUMNS.length;

/** Column by column from interleaved values, `VALUES_PER_RUN` a run, ordered by run. */
export function toRecords(chunks: readonly Float64Array[]): RunRecords {
  const interleaved = concatenated(chunks);
  const count = interleaved.length / VALUES_PER_RUN;
  const byRun = Uint32Array.from({ length: count }, (_, index) => index).sort(
    (a, b) => (interleaved[a * VALUES_PER_RUN] as number) - (interleaved[b * VALUES_PER_RUN] as number),
  );
  const column = (which: number) =>
    Float64Array.from(byRun, (record) => interleaved[record * VALUES_PER_RUN + which] as number);
  return {
    run: column(0),
    dueNs: column(1),
    readyNs: column(2),
    startNs: column(3),
    doneNs: column(4),
  };
}
