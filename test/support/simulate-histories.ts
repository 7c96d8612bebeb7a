import { watchLatency } from '../../src/benchmark/watch/latency-watch.ts';
import { predictNext } from '../../src/benchmark/watch/prediction-limit.ts';

/** A host and what happens to its latencies. */
export interface HistoryScenario {
  readonly name: string;
  readonly runs: number;
  /** Standard deviation of the logarithms from run to run, of its own for each run. */
  readonly scatter: number;
  /** The same of a part that lasts: neighbouring runs share it with this correlation. */
  readonly slow?: { readonly scatter: number; readonly correlation: number };
  /** So many runs of a hundred are disturbed and take this factor longer. */
  readonly disturbed?: { readonly percent: number; readonly factor: number };
  /** From this run on the level is another one. */
  readonly step?: { readonly at: number; readonly factor: number };
  /** By so much the level grows from run to run. */
  readonly drift?: number;
  /** The step is another host, which the fingerprint tells. */
  readonly anotherHost?: boolean;
}

/** A history as it comes about: `rerun` gives the latency of one more run at the same time. */
export interface SimulatedHistory {
  readonly latencies: readonly number[];
  readonly rerun: (at: number) => number;
}

export function simulateHistory(scenario: HistoryScenario, random: () => number): SimulatedHistory {
  const { runs, scatter, slow, disturbed, step, drift = 0 } = scenario;
  const levels: number[] = [];
  let lasting = 0;
  for (let at = 0; at < runs; at++) {
    if (slow !== undefined) {
      const fresh = slow.scatter * Math.sqrt(1 - slow.correlation ** 2) * gaussian(random);
      lasting = at === 0 ? slow.scatter * gaussian(random) : slow.correlation * lasting + fresh;
    }
    const stepped = step !== undefined && at >= step.at ? step.factor : 1;
    levels.push(stepped * Math.exp(lasting + drift * at));
  }
  const draw = (at: number) => {
    const hit = disturbed !== undefined && random() * 100 < disturbed.percent ? disturbed.factor : 1;
    return (levels[at] as number) * hit * Math.exp(scatter * gaussian(random));
  };
  return { latencies: levels.map((_, at) => draw(at)), rerun: draw };
}

function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** The scheduled runs at which a detector says that something got slower. */
export type Detector = (history: SimulatedHistory, scenario: HistoryScenario) => readonly number[];

/** As the daemon does it: a run beyond the limit is repeated at once until it is confirmed or not, each host has a baseline of its own. */
export const watched: Detector = ({ latencies, rerun }, { step, anotherHost }) => {
  const alarms: number[] = [];
  let known: number[] = [];
  latencies.forEach((latency, at) => {
    if (anotherHost === true && at === step?.at) known = [];
    known.push(latency);
    let { state } = watchLatency(known);
    while (state === 'suspected') {
      known.push(rerun(at));
      ({ state } = watchLatency(known));
    }
    if (state === 'regressed') alarms.push(at);
  });
  return alarms;
};

/** A t-test threshold as benchmark trackers have it: one-sided, 0.99, over up to 64 earlier runs, no confirmation. */
export const tThreshold: Detector = ({ latencies }) =>
  latencies.flatMap((latency, at) => {
    const expected = predictNext(latencies.slice(Math.max(0, at - 64), at), 0.99);
    return expected !== null && latency > expected.upper ? [at] : [];
  });

/** More than 20 % above the run before. */
export const twentyPercent: Detector = ({ latencies }) =>
  latencies.flatMap((latency, at) => (at > 0 && latency > 1.2 * (latencies[at - 1] as number) ? [at] : []));

/** What a detector made of many histories of a scenario. */
export interface DetectorScore {
  /** Share of histories with an alarm while nothing had changed. */
  readonly falseAlarms: number;
  /** Share of histories in which the change was found; null where nothing changes. */
  readonly found: number | null;
  /** Runs from the change to the alarm, half of what was found takes no more; null where nothing was found. */
  readonly medianDelay: number | null;
}

/** Alarms before the change are false, and the first one from it on finds it. A drift is a change from its beginning. */
export function scoreAlarms(
  scenario: HistoryScenario,
  alarms: readonly (readonly number[])[],
): DetectorScore {
  const change =
    scenario.anotherHost === true
      ? undefined
      : (scenario.step?.at ?? (scenario.drift === undefined ? undefined : 0));
  const isFalse = (at: number) => change === undefined || at < change;
  const delays =
    change === undefined
      ? []
      : alarms
          .map((of) => of.find((at) => at >= change))
          .filter((at) => at !== undefined)
          .map((at) => at - change)
          .sort((a, b) => a - b);
  return {
    falseAlarms: alarms.filter((of) => of.some(isFalse)).length / alarms.length,
    found: change === undefined ? null : delays.length / alarms.length,
    medianDelay: delays[Math.floor(delays.length / 2)] ?? null,
  };
}

/** Histories as they are met: quiet and noisy hosts, hosts with moods, changes that matter, and changes that are none. */
export const HISTORIES: readonly HistoryScenario[] = [
  { name: 'steady, 1 % scatter', runs: 100, scatter: 0.01 },
  { name: 'steady, 3 % scatter', runs: 100, scatter: 0.03 },
  { name: 'noisy, 15 % from run to run', runs: 100, scatter: 0.15 },
  {
    name: 'moods of 5 % that last',
    runs: 100,
    scatter: 0.02,
    slow: { scatter: 0.05, correlation: 0.8 },
  },
  {
    name: 'one run of twenty disturbed',
    runs: 100,
    scatter: 0.01,
    disturbed: { percent: 5, factor: 1.4 },
  },
  { name: 'another host', runs: 100, scatter: 0.02, step: { at: 60, factor: 1.8 }, anotherHost: true },
  { name: 'sparse, 14 runs', runs: 14, scatter: 0.03 },
  { name: 'step of 5 %, 1 % scatter', runs: 100, scatter: 0.01, step: { at: 60, factor: 1.05 } },
  { name: 'step of 10 %, 1 % scatter', runs: 100, scatter: 0.01, step: { at: 60, factor: 1.1 } },
  { name: 'step of 10 %, 3 % scatter', runs: 100, scatter: 0.03, step: { at: 60, factor: 1.1 } },
  { name: 'step of 20 %, 3 % scatter', runs: 100, scatter: 0.03, step: { at: 60, factor: 1.2 } },
  { name: 'step of 50 %, 15 % scatter', runs: 100, scatter: 0.15, step: { at: 60, factor: 1.5 } },
  { name: 'drift of 20 % in 100 runs, 1 % scatter', runs: 100, scatter: 0.01, drift: 0.00182 },
];
