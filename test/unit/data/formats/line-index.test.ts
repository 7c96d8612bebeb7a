import { expect, it } from 'vitest';
import { LineIndex } from '../../../../src/data/formats/line-index.ts';

it('keeps every line while it grows, also far behind 4 GiB', () => {
  const lines = new LineIndex();
  const entry = (i: number) => ({ line: 2 * i + 1, start: i * 2 ** 33, sizeBytes: i + 7 });
  for (let i = 0; i < 5000; i += 1) lines.add(entry(i));
  expect(lines.count).toBe(5000);
  for (let i = 0; i < 5000; i += 1) expect(lines.at(i)).toEqual(entry(i));
  expect(() => lines.at(5000)).toThrow(RangeError);
  expect(() => lines.at(-1)).toThrow(RangeError);
});
