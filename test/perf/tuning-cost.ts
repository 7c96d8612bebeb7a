import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatSeconds } from '../../src/core/units.ts';
import type { QuantizeTask } from '../../src/jobs/quantize-task.ts';
import { completeRecipe, type RecipeRequest } from '../../src/quantization/recipe.ts';
import { BASELINE_MODELS, findSubjects, type PeerSubject } from './peer-subjects.ts';
import { type OnRow, type PerfRow, plainRow, ratioRow } from './perf-row.ts';
import { type MeasuredQuantization, measure } from './quantize-in-child.ts';
import { median } from './statistics.ts';

const WAYS = {
  'min-max, none': { calibration: { method: 'minmax' } },
  none: {},
  fast: { tune: 'fast' },
  full: { tune: 'full' },
} as const satisfies Readonly<Record<string, Partial<RecipeRequest>>>;

type Way = keyof typeof WAYS;

const REPETITIONS = Number(process.env['PTQ_REPETITIONS'] ?? 3);
const MOST: Readonly<Record<'fast' | 'full', number>> = { fast: 3, full: 20 };

/**
 * What tuning costs against plain calibration: a whole quantization of the same recipe with `tune: none`, by the default method and
 * by min-max, on all samples and without the latency gate, which would cost all of them the same. Ratios are medians over the
 * repetitions, in each of which all ways are gone one after another.
 */
export async function tuningCost(onRow: OnRow): Promise<readonly PerfRow[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'ptq-tuning-cost-'));
  const rows: PerfRow[] = [];
  try {
    for (const subject of findSubjects(BASELINE_MODELS, (why) => console.error(why))) {
      const told = await costOf(subject, scratch);
      told.forEach(onRow);
      rows.push(...told);
    }
    return rows;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function costOf(
  { name, modelPath, dataPath }: PeerSubject,
  scratch: string,
): Promise<readonly PerfRow[]> {
  const ways = Object.keys(WAYS) as Way[];
  const rounds: Record<Way, MeasuredQuantization>[] = [];
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const round: Partial<Record<Way, MeasuredQuantization>> = {};
    for (const way of ways) {
      const task: QuantizeTask = {
        kind: 'quantize',
        modelPath,
        outputPath: join(scratch, 'int8.onnx'),
        data: { spec: { path: dataPath }, split: 'calib' },
        recipe: completeRecipe({ format: 'static-int8', latencyGate: 'off', ...WAYS[way] }),
        threads: 0,
      };
      round[way] = await measure('quantize', task);
    }
    rounds.push(round as Record<Way, MeasuredQuantization>);
  }
  const of = (way: Way, figure: 'seconds' | 'cpuSeconds' | 'peakRssBytes') =>
    median(rounds.map((round) => round[way][figure]));
  const ratio = (way: Way, base: Way, figure: 'seconds' | 'cpuSeconds') =>
    median(rounds.map((round) => round[way][figure] / round[base][figure]));
  return [
    ...ways.map((way) => ({
      ...plainRow(name, `${way}: all of it`, formatSeconds(of(way, 'seconds'))),
      detail: `${formatSeconds(of(way, 'cpuSeconds'))} of CPU, at most ${(of(way, 'peakRssBytes') / 2 ** 20).toFixed(0)} MiB resident`,
    })),
    ...(['fast', 'full'] as const).flatMap((way) => [
      ratioRow(name, `${way} / none`, ratio(way, 'none', 'seconds'), MOST[way]),
      plainRow(name, `${way} / none, CPU`, ratio(way, 'none', 'cpuSeconds').toFixed(2)),
      plainRow(name, `${way} / min-max, none`, ratio(way, 'min-max, none', 'seconds').toFixed(2)),
    ]),
  ];
}
