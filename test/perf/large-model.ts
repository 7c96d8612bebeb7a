import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { formatBytes, formatSeconds } from '../../src/core/units.ts';
import { LARGE_MODEL_BYTES, writeLargeModel } from './large-model-file.ts';
import { ownQuantize } from './own-quantize.ts';
import { memoryRow, type OnRow, type PerfRow, plainRow } from './perf-row.ts';
import { watchProcess } from './watched-process.ts';

const RECIPES = ['weight-int4', 'dynamic-int8'] as const;
const MOST_MIB = 2048;
/** The model and its copy, or the model and a result, and what else the disk needs to stay usable. */
const FREE_BYTES = 3 * LARGE_MODEL_BYTES;

/**
 * Quantizes a model of 3 GiB with the command line. Each time the files of the model are copied right before, as the disk
 * of a busy host slows both. Skipped, with a row that says why, where the temporary folder (`TMPDIR`) has no room for it.
 */
export async function largeModel(onRow: OnRow): Promise<readonly PerfRow[]> {
  const subject = `${formatBytes(LARGE_MODEL_BYTES)}, external data`;
  const { bavail, bsize } = statfsSync(tmpdir());
  if (bavail * bsize < FREE_BYTES) {
    const reason = `skipped: ${tmpdir()} has ${formatBytes(bavail * bsize)} free, ${formatBytes(FREE_BYTES)} are needed`;
    return [plainRow(subject, 'quantize', reason)];
  }
  const folder = mkdtempSync(join(tmpdir(), 'ptq-large-model-'));
  const rows: PerfRow[] = [];
  try {
    const modelPath = join(folder, 'large.onnx');
    writeLargeModel(modelPath);
    for (const recipe of RECIPES) {
      for (const row of await costOf(recipe, modelPath, folder)) {
        onRow(row);
        rows.push(row);
      }
    }
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function costOf(
  recipe: (typeof RECIPES)[number],
  modelPath: string,
  folder: string,
): Promise<readonly PerfRow[]> {
  const copySeconds = await copyOf(modelPath, join(folder, 'copy'));
  const target = join(folder, `${recipe}.onnx`);
  const { seconds, report, peakRssBytes } = await ownQuantize(modelPath, target, ['--recipe', recipe]);
  rmSync(target);
  rmSync(`${target}.data`, { force: true });
  const { quantized, fused, float } = report.ops;
  const { before, after } = report.sizeBytes;
  const { on, samples, sqnrDb } = report.selfCheck;
  return [
    {
      ...memoryRow(recipe, 'peak memory, all processes', peakRssBytes, MOST_MIB),
      detail: `the worker alone: ${Math.round(report.peakRssBytes / 2 ** 20)} MiB`,
    },
    {
      ...plainRow(recipe, 'quantize / copy of the files', (seconds / copySeconds).toFixed(2)),
      detail: `${formatSeconds(seconds)} / ${formatSeconds(copySeconds)}`,
    },
    plainRow(recipe, 'size', `${formatBytes(before)} → ${formatBytes(after)}`),
    {
      ...plainRow(recipe, 'self-check, SQNR', sqnrDb === null ? 'not compared' : `${sqnrDb.toFixed(1)} dB`),
      target: 'loaded and compared',
      reached: samples > 0,
      detail: `${samples} ${on} samples, ${fused} of ${quantized} nodes run so, ${float.length} left float`,
    },
  ];
}

/** Seconds to copy a model's files and flush them to the disk. */
async function copyOf(modelPath: string, copies: string): Promise<number> {
  mkdirSync(copies);
  const files = [modelPath, `${modelPath}.data`];
  const { seconds, exitCode, stderr } = await watchProcess('cp', ['--reflink=never', ...files, copies]);
  if (exitCode !== 0) throw new Error(stderr);
  const sync = await watchProcess('sync', [copies, ...files.map((file) => join(copies, basename(file)))]);
  rmSync(copies, { recursive: true });
  return seconds + sync.seconds;
}
