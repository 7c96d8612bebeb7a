import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { seededRandom } from '../support/seeded-random.ts';
import {
  type Detector,
  type DetectorScore,
  HISTORIES,
  type HistoryScenario,
  type SimulatedHistory,
  scoreAlarms,
  simulateHistory,
  tThreshold,
  twentyPercent,
  watched,
} from '../support/simulate-histories.ts';
import { type OnRow, type PerfRow, plainRow } from './perf-row.ts';

const HISTORIES_EACH = 300;
/** Otava looks at every history again after every run, which takes it long. */
const HISTORIES_OF_OTAVA = 40;

/** The detectors of trackers, and ours: who calls a change what is none, and who finds those that are. */
export async function watchHistories(onRow: OnRow): Promise<readonly PerfRow[]> {
  const rows: PerfRow[] = [];
  const say = (scenario: HistoryScenario, detector: string, score: DetectorScore) => {
    const row = plainRow(scenario.name, detector, scoreWords(score));
    rows.push(row);
    onRow(row);
  };
  for (const [at, scenario] of HISTORIES.entries()) {
    const histories = simulate(scenario, at);
    const own: readonly (readonly [string, Detector])[] = [
      ['ptq-agent', watched],
      ['t threshold, 0.99', tThreshold],
      ['20 % above the run before', twentyPercent],
    ];
    for (const [name, detect] of own)
      say(
        scenario,
        name,
        scoreAlarms(
          scenario,
          histories.map((history) => detect(history, scenario)),
        ),
      );
    const few = histories.slice(0, HISTORIES_OF_OTAVA).map(({ latencies }) => latencies);
    const otava = alarmsOfOtava(few);
    if (otava !== undefined) say(scenario, 'Otava, 5 % floor', scoreAlarms(scenario, otava));
  }
  return rows;
}

function simulate(scenario: HistoryScenario, seed: number): readonly SimulatedHistory[] {
  const random = seededRandom(seed + 1);
  return Array.from({ length: HISTORIES_EACH }, () => simulateHistory(scenario, random));
}

function scoreWords({ falseAlarms, found, medianDelay }: DetectorScore): string {
  const share = (of: number) => `${(100 * of).toFixed(1)} %`;
  const words = `${share(falseAlarms)} with a false alarm`;
  if (found === null) return words;
  return `${words}, ${share(found)} found${medianDelay === null ? '' : `, after ${medianDelay} runs`}`;
}

/** Undefined where apache-otava is not installed for the Python of PTQ_OTAVA_PYTHON. */
function alarmsOfOtava(
  histories: readonly (readonly number[])[],
): readonly (readonly number[])[] | undefined {
  const python = process.env['PTQ_OTAVA_PYTHON'];
  if (python === undefined) return undefined;
  const { status, stdout } = spawnSync(python, [join(import.meta.dirname, 'otava-alarms.py')], {
    input: JSON.stringify(histories),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  return status === 0 ? (JSON.parse(stdout) as readonly (readonly number[])[]) : undefined;
}
