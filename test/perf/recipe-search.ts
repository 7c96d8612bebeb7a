import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatSeconds } from '../../src/core/units.ts';
import type { SearchResult } from '../../src/jobs/search/search-result.ts';
import { completeRecipe } from '../../src/quantization/recipe.ts';
import { runProgram } from '../support/program.ts';
import { BASELINE_MODELS, bundledSubject, findSubjects, type PeerSubject } from './peer-subjects.ts';
import { type OnRow, type PerfRow, plainRow } from './perf-row.ts';
import { measure } from './quantize-in-child.ts';

/** Of each search, such as `5m`; none unless set. */
const TIME_LIMIT = process.env['PTQ_TIME_LIMIT'];
/** Names of the models that are searched, with commas between; all unless set. */
const ONLY = process.env['PTQ_ONLY']?.split(',');

/**
 * What `quantize --recipe auto` chooses with the default budget and no goal, and what it takes against one plain quantization:
 * the default recipe on all calibration samples, without the latency gate.
 */
export async function recipeSearch(onRow: OnRow): Promise<readonly PerfRow[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'ptq-recipe-search-'));
  const rows: PerfRow[] = [];
  const known = [bundledSubject(), ...findSubjects(BASELINE_MODELS, (why) => console.error(why))];
  try {
    for (const subject of known.filter(({ name }) => ONLY?.includes(name) ?? true)) {
      const told = rowsOf(subject.name, await search(subject, scratch), await plainSeconds(subject, scratch));
      told.forEach(onRow);
      rows.push(...told);
    }
    return rows;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function search({ name, modelPath, dataPath }: PeerSubject, scratch: string): Promise<SearchResult> {
  const { code, stdout, stderr } = await runProgram([
    ...['quantize', modelPath, '-o', join(scratch, `${name}.onnx`), '--recipe', 'auto', '--json', '--quiet'],
    ...['--calibration', dataPath, '--data', dataPath],
    ...(TIME_LIMIT === undefined ? [] : ['--time-limit', TIME_LIMIT]),
  ]);
  // A budget that is missed is an outcome as well.
  if (code !== 0 && code !== 1) throw new Error(`the search on ${name} failed: ${stderr}`);
  return JSON.parse(stdout) as SearchResult;
}

async function plainSeconds({ modelPath, dataPath }: PeerSubject, scratch: string): Promise<number> {
  const { seconds } = await measure('quantize', {
    kind: 'quantize',
    modelPath,
    outputPath: join(scratch, 'plain.onnx'),
    data: { spec: { path: dataPath }, split: 'calib' },
    recipe: completeRecipe({ format: 'static-int8', latencyGate: 'off' }),
    threads: 0,
  });
  return seconds;
}

function rowsOf(name: string, result: SearchResult, quantizeSeconds: number): readonly PerfRow[] {
  const { candidates, choice, evaluation, ended, seconds, float32, samples } = result;
  const chosen = candidates.find(({ isChosen }) => isChosen);
  const speedUp = chosen?.latency?.speedUp;
  const sizeRatio = float32.sizeBytes / (chosen?.sizeBytes ?? Number.NaN);
  return [
    {
      ...plainRow(name, 'chosen', choice.label),
      detail: `budget ${choice.standing} on ${samples.choose} samples`,
    },
    ...(evaluation === undefined ? [] : accuracyRows(name, evaluation)),
    speedUp == null
      ? plainRow(name, 'times as fast as float32', 'not measured')
      : {
          ...plainRow(name, 'times as fast as float32', speedUp.ratio.toFixed(2)),
          detail: `[${speedUp.lower.toFixed(2)}, ${speedUp.upper.toFixed(2)}]`,
        },
    plainRow(name, 'times smaller', sizeRatio.toFixed(2)),
    {
      ...plainRow(name, 'search / one plain quantization', (seconds / quantizeSeconds).toFixed(0)),
      detail: `${formatSeconds(seconds)} for ${candidates.length} candidates (${ended}) / ${formatSeconds(quantizeSeconds)}`,
    },
  ];
}

function accuracyRows(
  name: string,
  { samples, metric, value, reference, loss, agreement, sqnrDb }: Accuracy,
) {
  const alike = agreement === undefined ? [] : [`${(agreement * 100).toFixed(1)} % of the answers are kept`];
  return [
    {
      ...plainRow(name, `${metric} lost, evaluation split`, loss?.toFixed(4) ?? 'none'),
      detail: [`${value?.toFixed(4)} of ${reference?.toFixed(4)}, ${samples} samples`, ...alike].join('; '),
    },
    plainRow(name, 'SQNR, evaluation split', sqnrDb === null ? 'the same' : `${sqnrDb.toFixed(1)} dB`),
  ];
}

type Accuracy = NonNullable<SearchResult['evaluation']>;
