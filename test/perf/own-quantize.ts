import { fileURLToPath } from 'node:url';
import type { QuantizeReport } from '../../src/jobs/quantize-task.ts';
import { type WatchedRun, watchJson } from './watched-process.ts';

const COMMAND_LINE = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Runs `quantize` of the built command line as a process of its own, as a user would. */
export function ownQuantize(
  modelPath: string,
  outputPath: string,
  options: readonly string[],
): Promise<WatchedRun & { readonly report: QuantizeReport }> {
  return watchJson(process.execPath, [
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
