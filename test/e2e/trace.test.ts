import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunTraceRecord } from '../../src/jobs/run-trace.ts';
import { DIGITS_DATA, DIGITS_MODEL, isBuilt, runProgram } from '../support/program.ts';
import { readXSpace } from '../support/read-xspace.ts';

const DIGITS = join(import.meta.dirname, '../../profiles/digits');

describe.skipIf(!isBuilt)('ptq-agent trace (skipped where `npm run build` was not run)', () => {
  let folder = '';

  beforeAll(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'ptq-trace-')));
    const made = await runProgram(['trace', DIGITS, '--data-dir', 'data', '--queries', '9', '-q'], folder);
    expect(made, made.stderr).toMatchObject({ code: 0 });
    expect(made.stdout).toMatch(/^digits:fp32: 9 calls, .* in operators each\noperator +times +time +share/);
    expect(made.stdout).toMatch(/^digits:int8: 9 calls[\s\S]*^QLinearConv +9 /m);
    expect(made.stderr).toMatch(/^trace: data\/traces\/plugins\/profile\/.*xplane.pb/m);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('has fp32 and a variant in one trace, each with so many steps', async () => {
    const found = await runProgram(['trace', 'latest', '--data-dir', 'data', '--json'], folder);
    expect(found).toMatchObject({ code: 0, stderr: '' });
    const record = JSON.parse(found.stdout) as RunTraceRecord;
    expect(record).toMatchObject({
      bytes: expect.any(Number),
      models: [
        { modelId: 'digits:fp32', requests: 9 },
        { modelId: 'digits:int8', requests: 9 },
      ],
    });
    const { planes } = readXSpace(readFileSync(record.path as string));
    const lines = planes.find(({ name }) => name === '/host:CPU')?.lines ?? [];
    expect(lines.map(({ name }) => name)).toEqual(expect.arrayContaining(['bench fp32', 'bench int8']));
    expect(existsSync(record.perfettoPath as string)).toBe(true);
  });

  it('copies the trace of a run, once, and leaves it where it is', async () => {
    const copy = ['trace', 'latest', '--data-dir', 'data', '--logdir', 'copy', '--json'];
    const copied = await runProgram(copy, folder);
    expect(copied).toMatchObject({ code: 0, stderr: '' });
    const { run, path } = JSON.parse(copied.stdout) as RunTraceRecord;
    expect(path).toContain(join(folder, 'copy/plugins/profile', run as string));
    const inCopy = () => (readdirSync(join(folder, 'copy'), { recursive: true }) as string[]).sort();
    const files = inCopy();
    expect(files.filter((file) => file.includes('.xplane.pb'))).toHaveLength(1);
    expect(await runProgram(copy, folder)).toMatchObject({ code: 0 });
    expect(inCopy()).toEqual(files);
  });

  it('traces models by themselves', async () => {
    const json = await runProgram(
      ['trace', DIGITS_MODEL, '--data', DIGITS_DATA, '--logdir', 'models', '--queries', '5', '--json', '-q'],
      folder,
    );
    expect(json).toMatchObject({ code: 0 });
    expect(JSON.parse(json.stdout)).toMatchObject({ models: [{ modelId: 'digits', requests: 5 }] });
  });

  it.each([
    ['a run that is not there', ['01ARZ3NDEKTSV4RRFFQ69G5FAV'], /there is no run '01ARZ3.*' with a trace/],
    ['models without data', [DIGITS_MODEL], /nothing says what the models are fed \[bad-usage\]/],
    [
      'a profile with data of its own',
      [DIGITS, '--data', DIGITS_DATA],
      /--data is for models .*\[bad-usage\]/,
    ],
    ['two profiles', [DIGITS, DIGITS], /several subjects are several models \[bad-usage\]/],
    [
      'a variant that there is not',
      [DIGITS, '--variants', 'int3'],
      /has no variant 'int3' \[unknown-variant\]/,
    ],
    ['a model that is not there', ['none.onnx', '--data', DIGITS_DATA], /\[model-not-found\]/],
    ['a folder without a profile', ['.'], /\[profile-not-found\]/],
    [
      'a folder of traces that is a file',
      [DIGITS_MODEL, '--data', DIGITS_DATA, '--logdir', DIGITS_MODEL],
      /no trace can be written there.*\[trace-not-written\]/,
    ],
  ])('refuses %s', async (_, args, message) => {
    const refused = await runProgram(['trace', ...args, '--data-dir', 'other', '-q'], folder);
    expect(refused, refused.stderr).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(message);
    expect(refused.stderr).not.toMatch(/^ +at /m);
  });
});
