import { describe, expect, it } from 'vitest';
import { lineSplitter } from '../../../src/jobs/line-splitter.ts';

function linesOf(...pieces: readonly string[]): readonly string[] {
  const lines: string[] = [];
  const take = lineSplitter((line) => lines.push(line));
  for (const piece of pieces) take(piece);
  return lines;
}

describe('lineSplitter', () => {
  it('joins what comes in pieces, and leaves out empty lines', () => {
    expect(linesOf('load', 'ing\n\nrunning\r\n', 'half')).toEqual(['loading', 'running']);
  });

  it('cuts a line that is too long, whether it ends or not', () => {
    expect(linesOf(`${'a'.repeat(5000)}\n`).map(({ length }) => length)).toEqual([2000]);
    expect(linesOf('a'.repeat(1500), 'a'.repeat(1500), 'b\n')).toEqual(['a'.repeat(2000), 'b']);
  });

  it('tells no more than so many lines, and says so once', () => {
    const lines = linesOf('x\n'.repeat(5000), 'y\n');
    expect(lines).toHaveLength(1000);
    expect(lines.at(-1)).toBe('it writes more than is logged');
  });
});
