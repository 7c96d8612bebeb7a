import { createOutputCheck, type OutputCheckReport } from '../benchmark/output-check.ts';
import type { Random } from '../benchmark/random.ts';
import { type BareOutputs, toTensors } from '../runtime/bare-session.ts';

/** Outputs of runs that were taken at random while a lane was measured. */
export interface KeptOutputs {
  /** Every run offered has the same chance to be kept. Cheap enough for a timed loop. */
  offer(sample: number, outputs: BareOutputs): void;
  /** Compares what is kept with what `run` makes of the same samples. */
  check(run: (sample: number) => BareOutputs): OutputCheckReport;
}

const MOST_RUNS = 16;

/** Of large outputs fewer are kept, but one. */
const MOST_BYTES = 32 * 2 ** 20;

/**
 * Keeps up to sixteen outputs, a reservoir sample of all that are offered.
 * Source: J. S. Vitter, "Random sampling with a reservoir", ACM TOMS 11 (1985), algorithm R.
 */
export function keepOutputs(random: Random): KeptOutputs {
  const kept: { readonly sample: number; readonly outputs: BareOutputs }[] = [];
  let offered = 0;
  let capacity = MOST_RUNS;
  return {
    offer: (sample, outputs) => {
      if (offered === 0) capacity = capacityFor(outputs);
      const place = offered < capacity ? offered : Math.floor(random() * (offered + 1));
      offered += 1;
      if (place < capacity) kept[place] = { sample, outputs };
    },
    check: (run) => {
      const check = createOutputCheck();
      for (const { sample, outputs } of kept) check.add(sample, toTensors(run(sample)), toTensors(outputs));
      return check.report();
    },
  };
}

function capacityFor(outputs: BareOutputs): number {
  const bytes = Object.values(outputs).reduce(
    (total, { data }) => total + (ArrayBuffer.isView(data) ? data.byteLength : 0),
    0,
  );
  return Math.max(1, Math.min(MOST_RUNS, Math.floor(MOST_BYTES / Math.max(1, bytes))));
}
