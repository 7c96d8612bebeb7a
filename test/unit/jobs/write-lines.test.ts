import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attemptAsync, ProblemError, problem } from '../../../src/core/problem.ts';
import { writeJsonLines } from '../../../src/jobs/write-lines.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('writeJsonLines', () => {
  it('writes a value a line, and makes the folder', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a', 'b', 'lines.jsonl');
    await writeJsonLines(path, [{ a: 1, text: 'two\nlines' }, null, 'é']);
    expect(readFileSync(path, 'utf8')).toBe('{"a":1,"text":"two\\nlines"}\nnull\n"é"\n');
    expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['lines.jsonl']);
  });

  it('writes an empty file for no values, over what was there', async () => {
    const path = join(temporaryFolder(), 'lines.jsonl');
    writeFileSync(path, 'before');
    await writeJsonLines(path, []);
    expect(readFileSync(path, 'utf8')).toBe('');
  });

  it('writes more lines than go into one write, in order', async () => {
    const path = join(temporaryFolder(), 'lines.jsonl');
    await writeJsonLines(path, Array.from({ length: 2500 }, (_, index) => index).values());
    expect(readFileSync(path, 'utf8').trimEnd().split('\n').map(Number)).toEqual(
      Array.from({ length: 2500 }, (_, index) => index),
    );
  });

  it('leaves what was there, and nothing else, where a value cannot be made', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'lines.jsonl');
    writeFileSync(path, 'before');
    function* failing() {
      yield 1;
      throw new ProblemError(problem('task-module-failed', 'show fails'));
    }
    expect(await attemptAsync(() => writeJsonLines(path, failing()))).toMatchObject({
      ok: false,
      error: { kind: 'task-module-failed' },
    });
    expect(readFileSync(path, 'utf8')).toBe('before');
    expect(readdirSync(folder)).toEqual(['lines.jsonl']);
  });

  it('says why it cannot write, and leaves nothing', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'folder', 'full'), { recursive: true });
    const path = join(folder, 'folder');
    expect(await attemptAsync(() => writeJsonLines(path, [1]))).toMatchObject({
      ok: false,
      error: { kind: 'output-not-writable', place: { file: path }, hint: expect.any(String) },
    });
    writeFileSync(join(folder, 'file'), '');
    expect(await attemptAsync(() => writeJsonLines(join(folder, 'file', 'x.jsonl'), [1]))).toMatchObject({
      ok: false,
      error: { kind: 'output-not-writable', message: expect.stringMatching(/ENOTDIR|EEXIST/) },
    });
    expect(readdirSync(folder).sort()).toEqual(['file', 'folder']);
  });
});
