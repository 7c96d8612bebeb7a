import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findJsonFault } from '../../../../src/data/labels/json-fault.ts';

describe('the place where text stops being JSON', () => {
  it.each([
    ['{"a": 1,\n "b": 2,\n}', 3, 1],
    ['{"a" 1}', 1, 6],
    ['[1,\n2', 2, 2],
    ['[1 2]', 1, 4],
    ['{"a": nul}', 1, 7],
    ['{"a": NaN}', 1, 7],
    ['[01]', 1, 3],
    ['[1.]', 1, 3],
    ['["a\nb"]', 1, 2],
    ['["\\x"]', 1, 2],
    ['["open]', 1, 2],
    ["['a']", 1, 2],
    ['[1}', 1, 3],
    ['{"a":1]', 1, 7],
    ['{1: 2}', 1, 2],
    ['{"a": 1} {', 1, 10],
    ['[,]', 1, 2],
    ['[:1]', 1, 2],
    ['{"a"::1}', 1, 6],
    ['{"a":1:2}', 1, 7],
    ['// no\n[]', 1, 1],
    ['', 1, 1],
  ])('%j: line %d, column %d', (text, line, column) => {
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
    expect(findJsonFault(text)).toEqual({ line, column });
  });

  it('is the end of the text where anything that is JSON is cut short', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify([value, [{}, { a: '\\"' }]], undefined, 1)
          .slice(0, -1)
          .trimEnd();
        const lines = text.split('\n');
        expect(findJsonFault(text)).toEqual({ line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 });
      }),
    );
  });
});
