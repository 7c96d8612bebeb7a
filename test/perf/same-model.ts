import { benchSettings } from '../../src/benchmark/settings.ts';
import { systemClock } from '../../src/core/clock.ts';
import { benchVariants } from '../../src/jobs/bench-variants.ts';
import { unwrap } from '../support/unwrap.ts';
import { bundledSubject } from './peer-subjects.ts';
import { type OnRow, type PerfRow, plainRow } from './perf-row.ts';

const WORKER_ENTRY = new URL('../../dist/jobs/worker-main.js', import.meta.url);
const COMPARISONS = Number(process.env['PTQ_COMPARISONS'] ?? 200);
/** The level of `compareResults`: its interval is wrong in one of twenty, which the noise floor halves. */
const MOST_RATIO = 0.05;

/** A model against itself, whole benchmarks of a second each: how often a difference is claimed that is none. */
export async function sameModel(onRow: OnRow): Promise<readonly PerfRow[]> {
  const { name, modelPath, dataPath } = bundledSubject();
  const settings = unwrap(benchSettings({ minDurationSeconds: 1 }));
  let claimed = 0;
  let valid = 0;
  let claimedValid = 0;
  for (let comparison = 0; comparison < COMPARISONS; comparison++) {
    const { speedUps } = await benchVariants(
      {
        model: name,
        variants: ['a', 'b'].map((variant) => ({ variant, path: modelPath })),
        data: { spec: { path: dataPath }, split: 'eval' },
        threads: 1,
        settings: { ...settings, seed: comparison },
      },
      { host: { entry: WORKER_ENTRY }, clock: systemClock },
    );
    const speedUp = speedUps[0];
    const isClaimed = speedUp?.outcome === 'faster' || speedUp?.outcome === 'slower';
    if (isClaimed) claimed += 1;
    if (speedUp?.valid === true) valid += 1;
    if (isClaimed && speedUp.valid) claimedValid += 1;
    if (comparison % 20 === 19) {
      onRow(plainRow(name, `${comparison + 1} comparisons`, `${claimed} differences claimed`));
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
