import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DIGITS_DATA, DIGITS_MODEL, isBuilt, runProgram, writeProfile } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe.skipIf(!isBuilt)('a mistake (skipped where `npm run build` was not run)', () => {
  const folder = '{folder}';
  it.each([
    ['a missing model', ['inspect', `${folder}/none.onnx`], 2, 'none.onnx'],
    ['a folder for a model', ['inspect', folder], 2, 'Expected a file'],
    ['an empty model', ['inspect', `${folder}/empty.onnx`], 2, 'The file is empty'],
    ['a model of random bytes', ['inspect', `${folder}/random.onnx`], 2, 'no ONNX model'],
    ['a model that was cut off', ['inspect', `${folder}/cut.onnx`], 2, 'cut off'],
    [
      'random bytes in a benchmark',
      ['bench', `${folder}/random.onnx`, '--data', DIGITS_DATA, '--duration', '100ms'],
      2,
      'ONNX Runtime cannot load the model',
    ],
    [
      'a missing model in a comparison',
      ['evaluate', `${folder}/none.onnx`, '--data', DIGITS_DATA],
      2,
      'the model cannot be opened (ENOENT)',
    ],
    [
      'a missing data file',
      ['evaluate', DIGITS_MODEL, '--data', `${folder}/none.npz`],
      2,
      'the data file cannot be opened',
    ],
    [
      'a model for data',
      ['quantize', DIGITS_MODEL, '-o', `${folder}/q.onnx`, '--calibration', DIGITS_MODEL],
      2,
      'does not tell its format',
    ],
    [
      'a split that is not there',
      ['quantize', DIGITS_MODEL, '-o', `${folder}/q.onnx`, '--calibration', DIGITS_DATA, '--split', 'x'],
      2,
      "the splits are 'calib', 'eval'",
    ],
    [
      'the model as its own output',
      ['quantize', DIGITS_MODEL, '-o', DIGITS_MODEL, '--calibration', DIGITS_DATA],
      2,
      'choose another output',
    ],
    [
      'no samples',
      ['quantize', DIGITS_MODEL, '-o', 'q.onnx', '--calibration', DIGITS_DATA, '--samples', '0'],
      2,
      'at least 1',
    ],
    ['a slip in an option', ['bench', DIGITS_MODEL, '--dta', DIGITS_DATA], 2, 'Did you mean --data?'],
    ['a slip in a command', ['insepct', DIGITS_MODEL], 2, 'Did you mean inspect?'],
    [
      'a share of no loss',
      ['evaluate', DIGITS_MODEL, '--data', DIGITS_DATA, '--relative'],
      2,
      '[options-conflict]',
    ],
    [
      'a metric of another task',
      ['evaluate', DIGITS_MODEL, '--data', DIGITS_DATA, '--metric', 'wer'],
      2,
      "the task classification has no metric 'wer'",
    ],
    [
      'a confidence of certainty',
      ['evaluate', DIGITS_MODEL, '--data', DIGITS_DATA, '--confidence', '1'],
      2,
      'from 0.5 to below 1',
    ],
    ['a missing option', ['evaluate', DIGITS_MODEL], 2, "required option '--data <path>'"],
    ['a profile that is not there', ['run', `${folder}/none`], 2, '[profile-not-found]'],
    ['a slip in a profile', ['run', `${folder}/slip`], 2, 'did you mean "calibration"?'],
    [
      'a data directory that is a file',
      ['run', `${folder}/tiny`, '--data-dir', `${folder}/empty.onnx`],
      2,
      '[data-dir-not-writable]',
    ],
    ['an address without a port', ['serve', '--listen', '0.0.0.0'], 2, '[invalid-listen-address]'],
    [
      'a web configuration that is not there',
      ['serve', '--web-config', `${folder}/none.yaml`, '--data-dir', `${folder}/data`],
      2,
      '[web-config-not-found]',
    ],
  ] as const)('names what is wrong with %s', async (_what, args, code, words) => {
    const place = temporaryFolder();
    writeFileSync(join(place, 'empty.onnx'), '');
    writeFileSync(join(place, 'random.onnx'), randomBytes(5000));
    writeFileSync(join(place, 'cut.onnx'), readFileSync(DIGITS_MODEL).subarray(0, 900_000));
    writeProfile(place, 'tiny');
    mkdirSync(join(place, 'slip'));
    writeFileSync(join(place, 'slip/profile.yaml'), 'data: { calibraton: {} }\n');
    const before = readdirSync(place).sort();
    const finished = await runProgram(args.map((word) => word.replace(folder, place)));
    expect(finished.stderr).toContain(words);
    expect(finished).toMatchObject({ code, stdout: '' });
    expect(finished.stderr).not.toMatch(/^ +at |node:internal|UnhandledPromise/m);
    expect(readdirSync(place).sort()).toEqual(before);
  });
});
