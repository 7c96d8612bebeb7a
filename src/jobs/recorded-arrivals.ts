import { traceRecords } from '../benchmark/traces/trace-records.ts';
import { toJson } from '../core/json.ts';
import type { SuiteRun } from './bench-suite.ts';
import { roundOrder } from './query-rows.ts';

/**
 * When the queries of a run came, as the lines of a trace that can be replayed: of the first measurement, its base variant and
 * its first round. In a closed loop that is when they were issued. Nothing where nothing was measured.
 */
export function* arrivalLines(runs: readonly SuiteRun[]): Iterable<string> {
  for (const { suite, measurement, run } of runs) {
    const record = run.records.find(({ rounds }) => rounds.length > 0);
    const round = record?.rounds[0];
    if (record === undefined || round === undefined) continue;
    const { settings } = measurement;
    const originNs = round.runs.dueNs[0] ?? 0;
    const dueNs = round.runs.dueNs.map((due) => Math.round(due - originNs));
    const order = roundOrder(settings, round.index, record);
    const samples =
      order && Uint32Array.from(round.runs.run, (index) => order[index % order.length] as number);
    const facts = { suite, measurement: measurement.name, scenario: settings.scenario, seed: settings.seed };
    for (const line of traceRecords({ dueNs, ...(samples === undefined ? {} : { samples }) }, facts))
      yield `${toJson(line)}\n`;
    return;
  }
}

/**
 * When benchmarks were ordered of a daemon, as the lines of a trace that can be replayed.
 * @param ordersMs milliseconds since the Unix epoch; a clock that was set back makes them seem out of order
 */
export function* orderLines(ordersMs: readonly number[]): Iterable<string> {
  const sorted = Float64Array.from(ordersMs).sort();
  const dueNs = sorted.map((ms) => (ms - (sorted[0] as number)) * 1e6);
  for (const line of traceRecords({ dueNs }, { recorded: 'POST /bench' })) yield `${toJson(line)}\n`;
}
