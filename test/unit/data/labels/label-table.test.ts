import { describe, expect, it } from 'vitest';
import type { LabelSpec } from '../../../../src/core/data-spec.ts';
import { readLabelTable } from '../../../../src/data/labels/label-table.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { fileOf } from '../formats/folder-of-files.ts';

async function table(name: string, content: string | Uint8Array, labels: LabelSpec = {}) {
  return unwrap(await readLabelTable(fileOf(name, content), labels));
}

/** The line and the message of the problem. */
async function fault(name: string, content: string | Uint8Array, labels: LabelSpec = {}) {
  const file = fileOf(name, content);
  const result = await readLabelTable(file, labels);
  if (result.ok) throw new Error('the labels were accepted');
  expect(result.error).toMatchObject({ kind: 'labels-invalid', place: { file } });
  return [result.error.place?.line, result.error.message] as const;
}

describe('CSV', () => {
  it('has the columns file and label, in any order and among others', async () => {
    const labels = await table('l.csv', 'wnid,label,file\nn1,3,a.jpg\nn2,4,sub/b.jpg\n');
    expect([...labels].map(([item, { truth }]) => [item, truth])).toEqual([
      ['a.jpg', { kind: 'class', index: 3 }],
      ['sub/b.jpg', { kind: 'class', index: 4 }],
    ]);
    expect(labels.get('sub/b.jpg')?.place).toMatchObject({ line: 3 });
    expect(labels.get('a.jpg')).not.toHaveProperty('group');
  });

  it('may have a byte order mark, CRLF, blanks around cells, empty lines, quotes and no last line break', async () => {
    const labels = await table('l.csv', '\ufeff"file", label\r\n\r\n"a, b.jpg", 1\r\n"say ""c"".png",2');
    expect([...labels.keys()]).toEqual(['a, b.jpg', 'say "c".png']);
    expect(labels.get('a, b.jpg')?.place.line).toBe(3);
  });

  it('has the columns that the settings name', async () => {
    const settings: LabelSpec = { item: 'path', truth: 'text', kind: 'text', group: 'speaker' };
    const labels = await table('l.csv', 'path,text,speaker\n./x/../a.wav,"hello, you",s1\n', settings);
    expect(labels.get('a.wav')).toMatchObject({ truth: { kind: 'text', text: 'hello, you' }, group: 's1' });
  });

  it.each([
    ['a missing column', 'name,label\na,1\n', 1, "there is no column 'file'; there are 'name', 'label'"],
    ['a column twice', 'file,label,label\na,1,1\n', 1, "the column 'label' stands twice in the first line"],
    [
      'too few cells',
      'file,label\na,1\nb\n',
      3,
      'the line is not valid CSV: Invalid Record Length: expect 2, got 1 on line 3',
    ],
    ['an item twice', 'file,label\na,1\n\nb,1\n./a,1\n', 5, "'a' has a label in line 2 already"],
    [
      'a label that is no class',
      'file,label\na,1\nb,cat\n',
      3,
      "the label is the text 'cat', not the number of a class",
    ],
    ['a negative label', 'file,label\na,-1\n', 2, 'the label is -1; classes are whole numbers from 0'],
    ['a label that is missing', 'file,label\na,\n', 2, "the label is the text '', not the number of a class"],
    ['an item without a name', 'file,label\n,1\n', 2, "'file' is the text '', not the name of a file"],
    ['nothing', '', undefined, 'the file is empty'],
  ])('is refused with %s, and the line', async (_what, content, line, message) => {
    expect(await fault('l.csv', content)).toEqual([line, message]);
  });

  it('is refused where a quote stays open, and where it is not UTF-8', async () => {
    expect(await fault('l.csv', 'file,label\na,"1\nb,2\n')).toEqual([
      expect.any(Number),
      expect.stringContaining('the line is not valid CSV: Quote Not Closed'),
    ]);
    expect(await fault('l.csv', Buffer.from('file,label\n\xe9.jpg,1\n', 'latin1'))).toEqual([
      undefined,
      'the file is not UTF-8',
    ]);
  });

  it('is refused without a group where one is asked for', async () => {
    expect(await fault('l.csv', 'file,label,by\na,1,\n', { group: 'by' })).toEqual([
      2,
      "the group is the text '', not a text or a whole number",
    ]);
    expect((await fault('l.csv', 'file,label\na,1\n', { group: 'by' }))[1]).toContain("no column 'by'");
  });
});

describe('JSON lines', () => {
  it('have the keys file and label', async () => {
    const labels = await table(
      'l.jsonl',
      '{"file": "a.jpg", "label": [0.5, 1]}\n\n{"label": 2, "file": "b.jpg"}',
      {
        kind: 'tensor',
      },
    );
    expect(labels.get('a.jpg')?.truth).toEqual({
      kind: 'tensor',
      dims: [2],
      values: Float64Array.of(0.5, 1),
    });
    expect(labels.get('b.jpg')?.place.line).toBe(3);
  });

  it('may tell groups apart by numbers', async () => {
    const labels = await table('l.NDJSON', '{"file": "a", "label": 1, "by": 7}', { group: 'by' });
    expect(labels.get('a')?.group).toBe('7');
  });

  it.each([
    [
      'a missing key',
      '{"file": "a", "label": 1}\n{"file": "b"}\n',
      2,
      "there is no key 'label'; there are 'file'",
    ],
    [
      'an item twice',
      '{"file": "a", "label": 1}\n{"file": "a", "label": 1}\n',
      2,
      "'a' has a label in line 1 already",
    ],
    ['a line that is no object', '[1]\n', 1, 'the line holds an array of 1, not an object'],
    ['a file that is no name', '{"file": 3, "label": 1}\n', 1, "'file' is 3, not the name of a file"],
  ])('are refused with %s, and the line', async (_what, content, line, message) => {
    expect(await fault('l.jsonl', content)).toEqual([line, message]);
  });

  it('are refused where a line is no JSON', async () => {
    const [line, message] = await fault('l.jsonl', '{"file": "a", "label": 1}\n{"file": \n');
    expect([line, message]).toEqual([2, expect.stringContaining('the line is not JSON')]);
  });
});

it('a label file with another ending is refused, and one that is missing', async () => {
  expect((await fault('l.xlsx', ''))[1]).toBe("the ending '.xlsx' is not that of a known label file");
  for (const name of ['none.csv', 'none.jsonl']) {
    const missing = await readLabelTable(`${fileOf('a', '')}/../${name}`, {});
    expect(missing).toMatchObject({ ok: false, error: { kind: 'data-unreadable' } });
  }
});
