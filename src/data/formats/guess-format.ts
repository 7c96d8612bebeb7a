import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { DataFormat } from '../../core/data-spec.ts';
import { attemptAsync, type Problem, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { unreadable } from './byte-source.ts';
import { isImageName } from './image-name.ts';
import { isTestDataName } from './test-data-files.ts';
import { walkFolder } from './walk-folder.ts';

const FILES: readonly (readonly [RegExp, DataFormat])[] = [
  [/\.npz$/i, 'npz'],
  [/\.npy$/i, 'npy'],
  [/\.(?:jsonl|ndjson)$/i, 'jsonl'],
  [/\.json$/i, 'perf-analyzer'],
  [/(?:[-.]idx\d-ubyte|\.idx)(?:\.gz)?$/i, 'idx'],
  [/\.wav$/i, 'wav'],
];

const SUPPORTED =
  'a file .npz, .npy, .jsonl, .json (perf_analyzer), .wav or idx (MNIST), or a folder of .jpg, .png or .webp, of .wav, or of test_data_set_0, test_data_set_1, …';

// A folder of one format shows it in its first files; looking at all of a large one would take long.
const MAX_FILES = 5000;

/**
 * Tells the format of a data set by the ending of a file, or by what the first 5000 files of a folder are.
 * Errors: `data-unreadable`; `format-unknown` where nothing, or more than one format, is found.
 */
export function guessFormat(path: string): Promise<Result<DataFormat, Problem>> {
  return attemptAsync(async () => {
    const stats = await stat(path).catch((error: unknown) => {
      throw unreadable(error, path);
    });
    if (stats.isDirectory()) return guessFolder(path);
    const match = FILES.find(([pattern]) => pattern.test(basename(path)));
    if (match !== undefined) return match[1];
    throw unknown(path, `the file's name '${basename(path)}' does not tell its format`);
  });
}

async function guessFolder(folder: string): Promise<DataFormat> {
  const counts = new Map<DataFormat, number>();
  const others: string[] = [];
  let seen = 0;
  for await (const { path, leftOut } of walkFolder(folder)) {
    if (leftOut !== undefined) continue;
    const format = formatOf(path);
    if (format === undefined) others.push(path);
    else counts.set(format, (counts.get(format) ?? 0) + 1);
    seen += 1;
    if (seen === MAX_FILES) break;
  }
  const [format, ...more] = counts.keys();
  if (format !== undefined && more.length === 0) return format;
  if (format === undefined) {
    const found =
      seen === 0 ? 'nothing' : `${others.slice(0, 5).join(', ')}${seen > 5 ? ` and ${seen - 5} more` : ''}`;
    throw unknown(folder, `the folder holds no items of a known format; it holds ${found}`);
  }
  const list = [...counts].map(([name, count]) => `${count} of '${name}'`).join(' and ');
  throw unknown(folder, `the folder holds files of several formats: ${list}`);
}

function formatOf(path: string): DataFormat | undefined {
  const name = basename(path);
  if (isImageName(name)) return 'images';
  if (/\.wav$/i.test(name)) return 'wav';
  return isTestDataName(name) && path.split('/').length <= 2 ? 'test-data-set' : undefined;
}

function unknown(file: string, message: string): ProblemError<'format-unknown'> {
  return new ProblemError(
    problem('format-unknown', message, {
      place: { file },
      hint: `name the format in the data's \`format\`; supported are ${SUPPORTED}`,
    }),
  );
}
