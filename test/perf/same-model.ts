import type { SpeedUp } from '../../src/benchmark/compare.ts';
import { type BenchSettings, benchSettings } from '../../src/benchmark/settings.ts';
import { systemClock } from '../../src/core/clock.ts';
import { benchVariants } from '../../src/jobs/bench-variants.ts';
import { unwrap } from '../support/unwrap.ts';
import { bundledSubject } from './peer-subjects.ts';
import { type OnRow, type PerfRow, plainRow } from './perf-row.ts';

const WORKER_ENTRY = new URL('../../dist/jobs/worker-main.js', import.meta.url);
const COMPARISONS = Number(process.env['PTQ_COMPARISONS'] ?? 200);
/** The level of the intervals that `compareResults` reports; it claims at a stricter one. */
const MOST_RATIO = 0.05;

/** A model against itself, whole benchmarks of a second each: how often a difference is claimed that is none. */
export async function sameModel(onRow: OnRow): Promise<readonly PerfRow[]> {
  const { name, modelPath } = bundledSubject();
  let claimed = 0;
  let valid = 0;
  let claimedValid = 0;
  for (let seed = 0; seed < COMPARISONS; seed++) {
    const settings = unwrap(benchSettings({ minDurationSeconds: 1, seed }));
    const speedUp = await compareInFull([modelPath, modelPath], settings);
    const isClaimed = speedUp.outcome === 'faster' || speedUp.outcome === 'slower';
    if (isClaimed) claimed += 1;
    if (speedUp.valid) valid += 1;
    if (isClaimed && speedUp.valid) claimedValid += 1;
    if (seed % 20 === 19) {
      onRow(plainRow(name, `${seed + 1} comparisons`, `${claimed} differences claimed`));
    }
  }
  const row = (figure: string, count: number, of: number): PerfRow => ({
    subject: name,
    figure,
    value: `${count} of ${of}`,
    target: `≤ ${MOST_RATIO * 100} %`,
    reached: count <= MOST_RATIO * of,
  });
  return [
    row('a model against itself: differences claimed', claimed, COMPARISONS),
    row('of them in runs that were valid', claimedValid, valid),
  ];
}

/** The second of two models that take the bundled model's data against the first, in a whole benchmark. */
export async function compareInFull(
  [base, candidate]: readonly [string, string],
  settings: BenchSettings,
): Promise<SpeedUp> {
  const { name, dataPath } = bundledSubject();
  const { speedUps } = await benchVariants(
    {
      model: name,
      variants: [
        { variant: 'base', path: base },
        { variant: 'candidate', path: candidate },
      ],
      data: { spec: { path: dataPath }, split: 'eval' },
      threads: 1,
      settings,
    },
    { host: { entry: WORKER_ENTRY }, clock: systemClock },
  );
  return speedUps[0] as SpeedUp;
}
