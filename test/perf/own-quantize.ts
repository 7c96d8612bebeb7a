import { fileURLToPath } from 'node:url';
import type { QuantizeReport } from '../../src/jobs/quantize-task.ts';
import { parseReport, type WatchedRun, watchProcess } from './watched-process.ts';

const COMMAND_LINE = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export type OwnQuantization = WatchedRun & { readonly report: QuantizeReport };

/** Runs `quantize` of the built command line as a process of its own, as a user would. */
export async function ownQuantize(
  modelPath: string,
  outputPath: string,
  options: readonly string[],
): Promise<OwnQuantization> {
  const run = await runQuantize(modelPath, outputPath, options);
  return { ...run, report: parseReport(run) };
}

/** Like `ownQuantize`, where the tool may find that int8 does not pay: undefined then, as the model stays float32. */
export async function ownQuantizeIfItPays(
  modelPath: string,
  outputPath: string,
  options: readonly string[],
): Promise<OwnQuantization | undefined> {
  const run = await runQuantize(modelPath, outputPath, options);
  if (run.exitCode !== 0 && /\[(int8-not-faster|nothing-to-quantize)\]/.test(run.stderr)) return undefined;
  return { ...run, report: parseReport(run) };
}

function runQuantize(modelPath: string, outputPath: string, options: readonly string[]): Promise<WatchedRun> {
  return watchProcess(process.execPath, [
    COMMAND_LINE,
    'quantize',
    modelPath,
    '--output',
    outputPath,
    '--json',
    '--quiet',
    ...options,
  ]);
}
