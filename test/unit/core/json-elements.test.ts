import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonElementScanner, JsonFault, type JsonMember } from '../../../src/core/json-elements.ts';

interface Seen {
  readonly elements: {
    readonly member: string;
    readonly text: string;
    readonly line: number;
    readonly start: number;
  }[];
  readonly members: readonly JsonMember[];
}

/** Scans a text in blocks of so many bytes, whose memory is used again as a reader of files does. */
function scan(text: string, blockBytes = 1 << 16, isWanted: (member: string) => boolean = () => true): Seen {
  const elements: Seen['elements'] = [];
  const scanner = new JsonElementScanner(isWanted, ({ member, index, bytes, line, start }) => {
    expect(index).toBe(elements.filter((other) => other.member === member).length);
    elements.push({ member, text: bytes.toString('utf8').trim(), line, start });
  });
  const whole = Buffer.from(text, 'utf8');
  const block = Buffer.alloc(blockBytes);
  for (let from = 0; from < whole.length; from += blockBytes) {
    const size = whole.copy(block, 0, from, from + blockBytes);
    scanner.push(block.subarray(0, size));
    block.fill(0x7e);
  }
  return { elements, members: scanner.finish() };
}

function faultOf(text: string, blockBytes?: number): JsonFault {
  try {
    scan(text, blockBytes);
  } catch (error) {
    if (error instanceof JsonFault) return error;
    throw error;
  }
  throw new Error('the text was scanned');
}

describe('the elements of the arrays of a JSON object', () => {
  it('come with their member, line and first byte', () => {
    const text = '{\n "data": [ {"a": [1, "]"]},\n  2 , "x,\\"y" ],\n "note": {"b": []}, "empty": []\n}\n';
    const { elements, members } = scan(text);
    expect(elements).toEqual([
      { member: 'data', text: '{"a": [1, "]"]}', line: 2, start: text.indexOf('{"a"') },
      { member: 'data', text: '2', line: 3, start: text.indexOf('2 ,') },
      { member: 'data', text: '"x,\\"y"', line: 3, start: text.indexOf('"x,') },
    ]);
    expect(members).toEqual([
      { name: 'data', count: 3 },
      { name: 'note', count: undefined },
      { name: 'empty', count: 0 },
    ]);
  });

  it('are only those that are wanted, and the others are counted', () => {
    const { elements, members } = scan('{"a": [1, 2], "b": [3]}', 4, (member) => member === 'b');
    expect(elements.map(({ text }) => text)).toEqual(['3']);
    expect(members[0]).toEqual({ name: 'a', count: 2 });
  });

  it('are the same however the file is cut into blocks', () => {
    const values = fc.array(fc.jsonValue({ depthSize: 'small' }), { maxLength: 5 });
    const object = fc.dictionary(fc.string({ unit: 'grapheme' }), values, { maxKeys: 4 });
    fc.assert(
      fc.property(
        object,
        fc.integer({ min: 4, max: 40 }),
        fc.constantFrom(undefined, 1),
        (value, size, indent) => {
          const text = JSON.stringify(value, undefined, indent);
          const found: Record<string, unknown[]> = {};
          const { elements, members } = scan(text, size);
          for (const { name } of members) Object.defineProperty(found, name, { value: [], enumerable: true });
          for (const { member, text: element } of elements) found[member]?.push(JSON.parse(element));
          expect(JSON.stringify(found)).toEqual(JSON.stringify(value));
        },
      ),
    );
  });

  it('may stand behind a byte order mark', () => {
    expect(scan('\ufeff{"a": [1]}').elements).toHaveLength(1);
  });

  it('may be no JSON, which whoever parses them finds out', () => {
    expect(scan('{"a": [1 2, tru]}').elements.map(({ text }) => text)).toEqual(['1 2', 'tru']);
  });
});

describe('a text that is no object', () => {
  it.each([
    ['', 'the file ends in the middle', 1, 1],
    ['[1]', 'an object was expected', 1, 1],
    ['{"a": [1}', 'the brackets do not match', 1, 9],
    ['{"a": [{]}', 'the brackets do not match', 1, 9],
    ['{"a": 1]', 'the brackets do not match', 1, 8],
    ['{"a": [1,]}', 'a value was expected', 1, 10],
    ['{"a": [,1]}', "a value or ']' was expected", 1, 8],
    ['{"a": [1\n,,2]}', 'a value was expected', 2, 2],
    ['{"a" [1]}', "':' was expected", 1, 6],
    ['{"a": }', 'a value was expected', 1, 7],
    ['{a: 1}', "a key in quotes or '}' was expected", 1, 2],
    ['{"a": 1,}', 'a key in quotes was expected', 1, 9],
    ['{"a": [1] 2}', "',' or '}' was expected", 1, 11],
    ['{"a": [1]} {', 'nothing more was expected', 1, 12],
    ['{"a": [1', 'the file ends in the middle', 1, 9],
    ['{"a": ["\\"]}', 'the file ends in the middle', 1, 13],
    ['{"\\x": 1}', 'a key in quotes was expected', 1, 5],
    ['{"a": 1, "a": [2]}', "'a' stands twice", 1, 12],
  ])('%j is refused where it stops being one', (text, message, line, column) => {
    for (const size of [1 << 16, 1]) {
      expect(faultOf(text, size)).toMatchObject({ message, line, column });
    }
  });

  it('is refused where it is nested as nothing that is meant is', () => {
    const nested = (depth: number) => `{"a": [${'['.repeat(depth)}${']'.repeat(depth)}]}`;
    expect(scan(nested(256)).elements).toHaveLength(1);
    expect(faultOf(nested(257)).message).toBe('it is nested deeper than 256');
    expect(faultOf(`{"a": [${'{"a":'.repeat(100_000)}`).message).toBe('it is nested deeper than 256');
  });
});
