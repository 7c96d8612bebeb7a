import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attempt } from '../../../../src/core/problem.ts';
import { parseJsonLine, scanLines } from '../../../../src/data/formats/scan-lines.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { fileOf } from './folder-of-files.ts';

interface Seen {
  readonly text: string;
  readonly line: number;
  readonly start: number;
}

async function linesOf(content: string | Uint8Array): Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  await scanLines(fileOf('lines', content), (bytes, { line, start }) => {
    seen.push({ text: bytes.toString('utf8'), line, start });
  });
  return seen;
}

describe('the lines of a file', () => {
  it('come with number and position, and without line endings, blank lines and byte order mark', async () => {
    expect(await linesOf('\ufeffa\r\n\r\n \t\nbé\nc')).toEqual([
      { text: 'a', line: 1, start: 3 },
      { text: 'bé', line: 4, start: 11 },
      { text: 'c', line: 5, start: 15 },
    ]);
    expect(await linesOf('')).toEqual([]);
    expect(await linesOf('\ufeff\n\n')).toEqual([]);
    expect(await linesOf('a\n')).toEqual([{ text: 'a', line: 1, start: 0 }]);
  });

  it('are whole where they are longer than what is read at once', async () => {
    const long = 'x'.repeat(2 ** 21 + 5);
    const edge = 'y'.repeat(2 ** 20 - 1);
    expect(await linesOf(`${edge}\n${long}\r\nz\n`)).toEqual([
      { text: edge, line: 1, start: 0 },
      { text: long, line: 2, start: 2 ** 20 },
      { text: 'z', line: 3, start: 2 ** 20 + long.length + 2 },
    ]);
  });

  it('lie in the file where their positions say', async () => {
    const part = fc.constantFrom('a', 'é', ' ', '\r', '\n', '\t', '😀', '\ufeff');
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: part, maxLength: 40 }), async (content) => {
        const bytes = Buffer.from(content);
        const split = content.split('\n');
        for (const { text, line, start } of await linesOf(bytes)) {
          const size = Buffer.byteLength(text);
          expect(bytes.subarray(start, start + size).toString('utf8')).toBe(text);
          const raw = split[line - 1]?.replace(/\r$/, '');
          expect(text).toBe(line === 1 ? raw?.replace(/^\ufeff/, '') : raw);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('are those of a file', async () => {
    await expect(scanLines(temporaryFolder(), () => {})).rejects.toMatchObject({
      problem: { kind: 'data-unreadable', message: 'the data is not a regular file' },
    });
  });
});

describe('a line of JSON', () => {
  const place = { file: 'a.jsonl', line: 3 };
  const parse = (bytes: Buffer) => attempt(() => parseJsonLine(bytes, place, 'item-invalid'));

  it('is an object', () => {
    expect(parse(Buffer.from(' {"a": [1]} '))).toEqual({ ok: true, value: { a: [1] } });
  });

  it.each([
    ['an array', Buffer.from('[1]'), 'the line holds an array of 1, not an object'],
    ['null', Buffer.from('null'), 'the line holds null, not an object'],
    ['broken', Buffer.from('{"a": 1,}'), expect.stringContaining('the line is not JSON: ')],
    ['not UTF-8', Buffer.from('{"a": "\xe9"}', 'latin1'), 'the line is not UTF-8'],
    ['UTF-16', Buffer.from('\ufeff{"a": 1}', 'utf16le'), 'the line is not UTF-8'],
  ])('is refused where it is %s', (_what, bytes, message) => {
    expect(parse(bytes)).toMatchObject({ ok: false, error: { kind: 'item-invalid', message, place } });
  });
});
