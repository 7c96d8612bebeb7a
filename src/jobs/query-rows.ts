import type { RunRecords } from '../benchmark/load/run-records.ts';
import { sampleOrder } from '../benchmark/round.ts';
import type { BenchSettings } from '../benchmark/settings.ts';
import type { VariantRecord } from '../benchmark/variant-record.ts';
import type { SuiteRun } from './bench-suite.ts';

const HEADER = [
  'suite',
  'measurement',
  'scenario',
  'variant',
  'round',
  'run',
  'sample',
  'due_ns',
  'ready_ns',
  'start_ns',
  'done_ns',
  'latency_ns',
  'service_ns',
].join(',');

/**
 * Every run of the model as a line of CSV under a header, in pieces. Times are nanoseconds from the start of the round;
 * `sample` is the index of what was fed, of a batch that of the batch, and empty where it is not known.
 */
export function* queryRows(runs: readonly SuiteRun[]): Iterable<string> {
  yield `${HEADER}\n`;
  for (const { suite, measurement, run } of runs) {
    for (const record of run.records) {
      const { scenario } = measurement.settings;
      const prefix = [suite, measurement.name, scenario, record.identity.variant].map(quoted).join(',');
      for (const round of record.rounds) {
        const order = roundOrder(measurement.settings, round.index, record);
        yield* rowsOf(`${prefix},${round.index}`, round.runs, order);
      }
    }
  }
}

function* rowsOf(prefix: string, runs: RunRecords, order: Uint32Array | undefined): Iterable<string> {
  for (let record = 0; record < runs.run.length; record++) {
    const at = (column: Float64Array) => column[record] as number;
    const run = at(runs.run);
    const sample = order?.[run % order.length] ?? '';
    const [due, ready, start, done] = [runs.dueNs, runs.readyNs, runs.startNs, runs.doneNs].map(at) as [
      number,
      number,
      number,
      number,
    ];
    const times = [due, ready, start, done, done - due, done - start].map(Math.round);
    yield `${prefix},${run},${sample},${times.join(',')}\n`;
  }
}

/** Which sample the runs of a round took; undefined where the model was not loaded. */
export function roundOrder(
  { trace, seed }: BenchSettings,
  round: number,
  { loaded }: VariantRecord,
): Uint32Array | undefined {
  return loaded === null ? undefined : sampleOrder(seed + round, loaded.sampleCount, trace ?? undefined);
}

/** RFC 4180: a field with a comma, a quote or a line break stands in quotes. */
function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
