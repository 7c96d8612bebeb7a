import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attemptAsync } from '../../../../src/core/problem.ts';
import { openJournal } from '../../../../src/jobs/search/search-journal.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

describe('openJournal', () => {
  it('finds what an earlier process wrote', async () => {
    const file = join(temporaryFolder(), 'journal.jsonl');
    const first = await openJournal(file);
    await first.write('a', 'a candidate', { ok: true, value: { seconds: 1.5 } });
    expect(first.read('a')).toEqual({ ok: true, value: { seconds: 1.5 } });
    await first.close();
    const second = await openJournal(file);
    expect(second.read('a')).toEqual({ ok: true, value: { seconds: 1.5 } });
    expect(second.read('b')).toBeUndefined();
    await second.close();
    expect(readFileSync(file, 'utf8')).toContain('"about":"a candidate"');
  });

  it('reads at once what a later process would read', async () => {
    const journal = await openJournal(join(temporaryFolder(), 'journal.jsonl'));
    await journal.write('a', 'not a number', { value: Number.NaN, absent: undefined });
    expect(journal.read('a')).toEqual({ value: null });
    await journal.close();
  });

  it('drops a line that a crash cut off, and writes the next one on a line of its own', async () => {
    const file = join(temporaryFolder(), 'journal.jsonl');
    const first = await openJournal(file);
    await first.write('a', 'whole', 1);
    await first.close();
    appendFileSync(file, '{"key":"b","about":"cut of');
    const second = await openJournal(file);
    expect(second.read('b')).toBeUndefined();
    await second.write('c', 'after it', 3);
    await second.close();
    const third = await openJournal(file);
    expect([third.read('a'), third.read('c')]).toEqual([1, 3]);
    await third.close();
  });

  it('passes over lines that are not its own', async () => {
    const file = join(temporaryFolder(), 'journal.jsonl');
    writeFileSync(file, 'hello\n[1]\nnull\n{"key":7,"value":1}\n{"key":"x"}\n{"key":"a","value":2}\n');
    const journal = await openJournal(file);
    expect(journal.read('a')).toBe(2);
    await journal.close();
  });

  it('says that it cannot write', async () => {
    const file = join(temporaryFolder(), 'journal.jsonl');
    mkdirSync(file);
    expect(await attemptAsync(() => openJournal(file))).toMatchObject({
      error: { kind: 'output-not-writable', place: { file } },
    });
  });
});
