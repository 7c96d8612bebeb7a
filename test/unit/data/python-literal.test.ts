import { describe, expect, it } from 'vitest';
import { parsePythonLiteral } from '../../../src/data/python-literal.ts';

describe('parsePythonLiteral', () => {
  it('reads strings, integers, booleans, tuples, lists and dictionaries', () => {
    const literal = parsePythonLiteral("{'a': (1, -2L,), \"b\": [True, False], 'c': 'x\\'y', 'd': (), }");
    expect(literal).toEqual({
      kind: 'dict',
      entries: new Map<string, unknown>([
        [
          'a',
          {
            kind: 'sequence',
            items: [
              { kind: 'integer', value: 1 },
              { kind: 'integer', value: -2 },
            ],
          },
        ],
        [
          'b',
          {
            kind: 'sequence',
            items: [
              { kind: 'bool', value: true },
              { kind: 'bool', value: false },
            ],
          },
        ],
        ['c', { kind: 'string', value: "x'y" }],
        ['d', { kind: 'sequence', items: [] }],
      ]),
    });
  });

  it.each([
    ['nothing', ''],
    ['a call', "__import__('os')"],
    ['an unclosed tuple', '(1, 2'],
    ['a missing comma', '(1 2)'],
    ['a lone comma', '(,)'],
    ['a key that is no string', '{1: 2}'],
    ['a key twice', "{'a': 1, 'a': 2}"],
    ['something after the end', '1 2'],
    ['an unclosed string', "'abc"],
    ['deep nesting', '('.repeat(5000) + ')'.repeat(5000)],
  ])('refuses %s', (_case, text) => {
    expect(parsePythonLiteral(text)).toBeUndefined();
  });
});
