import { describe, expect, it } from 'vitest';
import type { LabelSpec } from '../../../../src/core/data-spec.ts';
import type { Truth } from '../../../../src/core/item.ts';
import { attempt } from '../../../../src/core/problem.ts';
import { createTruthParser } from '../../../../src/data/labels/parse-truth.ts';
import { unwrap } from '../../../support/unwrap.ts';

const place = { file: 'labels.csv', line: 7 };

function parse(labels: LabelSpec | undefined, value: unknown): Truth {
  return unwrap(attempt(() => createTruthParser(labels, { file: 'labels.csv' })(value, place)));
}

function faultOf(labels: LabelSpec | undefined, value: unknown): string {
  const result = attempt(() => createTruthParser(labels, { file: 'labels.csv' })(value, place));
  if (result.ok) throw new Error(`${JSON.stringify(value)} was accepted`);
  expect(result.error).toMatchObject({ kind: 'labels-invalid', place });
  return result.error.message;
}

describe('a class', () => {
  const named: LabelSpec = { classes: ['cat', 'dog', '0'] };

  it.each([
    [3, 3],
    ['3', 3],
    [' 3 ', 3],
    ['3.0', 3],
    [0, 0],
  ])('%j is the class %d', (value, index) => {
    expect(parse(undefined, value)).toEqual({ kind: 'class', index });
  });

  it('is the position of its name, and a text that is a name is never taken for a number', () => {
    expect(parse(named, 'dog')).toEqual({ kind: 'class', index: 1 });
    expect(parse(named, '0')).toEqual({ kind: 'class', index: 2 });
    expect(parse(named, 0)).toEqual({ kind: 'class', index: 0 });
    expect(parse(named, '1')).toEqual({ kind: 'class', index: 1 });
  });

  it.each([
    ['', "the text ''"],
    ['cat', "the text 'cat'"],
    ['0x10', "the text '0x10'"],
    ['NaN', "the text 'NaN'"],
    [null, 'null'],
    [true, 'true'],
    [[1], 'an array of 1'],
  ])('%j is none without names', (value, shown) => {
    expect(faultOf(undefined, value)).toBe(`the label is ${shown}, not the number of a class`);
  });

  it.each([-1, '-1', 1.5, 2 ** 31])('%j is no whole number from 0', (value) => {
    expect(faultOf(undefined, value)).toBe(`the label is ${value}; classes are whole numbers from 0`);
  });

  it('is refused where it is no name or beyond the names', () => {
    expect(faultOf(named, 'bird')).toBe(
      "the label is the text 'bird', neither a number nor one of the classes 'cat', 'dog', '0'",
    );
    expect(faultOf(named, '3')).toBe('the label is 3, but `labels.classes` names the classes 0 to 2');
  });

  it('cannot have a name that stands twice', () => {
    const result = attempt(() => createTruthParser({ classes: ['a', 'b', 'a'] }, { file: 'labels.csv' }));
    expect(result).toMatchObject({
      ok: false,
      error: { message: "the class 'a' stands twice in `labels.classes`" },
    });
  });
});

describe('several classes', () => {
  const labels: LabelSpec = { kind: 'classes', classes: ['a', 'b', 'c'] };

  it.each([
    ['a|c', [0, 2]],
    [' a | 1 ', [0, 1]],
    ['["c", 0]', [2, 0]],
    [
      ['b', 2],
      [1, 2],
    ],
    ['', []],
    [[], []],
  ])('%j are the classes %j', (value, indices) => {
    expect(parse(labels, value)).toEqual({ kind: 'classes', indices });
  });

  it('are refused where one is unknown, stands twice, or there is no list', () => {
    expect(faultOf(labels, 'a|d')).toContain("the text 'd'");
    expect(faultOf(labels, 'a||b')).toContain("the text ''");
    expect(faultOf(labels, 'a|0')).toBe('the label names a class twice');
    expect(faultOf(labels, 1)).toBe('the label is 1, not a list of classes');
    expect(faultOf(labels, '["a"')).toContain('begins like a JSON array');
  });
});

describe('a tensor', () => {
  it.each([
    ['1.5', [], [1.5]],
    ['-2e3', [], [-2000]],
    [7, [], [7]],
    [[1, 2, 3], [3], [1, 2, 3]],
    ['[[1, 2], [3, 4], [5, 6]]', [3, 2], [1, 2, 3, 4, 5, 6]],
    [[[[1], [2]]], [1, 2, 1], [1, 2]],
    [[], [0], []],
  ])('%j has the dims %j and the values %j', (value, dims, values) => {
    const truth = parse({ kind: 'tensor' }, value);
    expect(truth).toEqual({ kind: 'tensor', dims, values: Float64Array.from(values) });
  });

  it('is refused where it is ragged or holds anything but numbers', () => {
    expect(faultOf({ kind: 'tensor' }, [[1, 2], [3]])).toContain(
      'ragged: an array of 1 stands beside one of 2',
    );
    expect(faultOf({ kind: 'tensor' }, [[1], 2])).toContain('it holds 2 where other places hold an array');
    expect(faultOf({ kind: 'tensor' }, [1, [2]])).toContain('it holds an array of 1, not a number');
    expect(faultOf({ kind: 'tensor' }, [[], [1]])).toContain('ragged');
    expect(faultOf({ kind: 'tensor' }, [1, '2'])).toContain("it holds the text '2', not a number");
    expect(faultOf({ kind: 'tensor' }, '[1, null]')).toContain('it holds null, not a number');
    expect(faultOf({ kind: 'tensor' }, '[1e999]')).toContain('too large for a double');
    expect(faultOf({ kind: 'tensor' }, '')).toContain("the text ''");
    expect(faultOf({ kind: 'tensor' }, null)).toContain('null');
  });
});

it('a text is kept as it is, and a number is none', () => {
  expect(parse({ kind: 'text' }, ' 12 ')).toEqual({ kind: 'text', text: ' 12 ' });
  expect(faultOf({ kind: 'text' }, 12)).toBe('the label is 12, not a text');
});

it('tags stand in an array or between blanks', () => {
  expect(parse({ kind: 'tags' }, 'B-PER  I-PER O')).toEqual({ kind: 'tags', tags: ['B-PER', 'I-PER', 'O'] });
  expect(parse({ kind: 'tags' }, ['O', 'B-LOC'])).toEqual({ kind: 'tags', tags: ['O', 'B-LOC'] });
  expect(parse({ kind: 'tags' }, '')).toEqual({ kind: 'tags', tags: [] });
  expect(faultOf({ kind: 'tags' }, ['O', 1])).toBe('a tag is 1, not a text');
  expect(faultOf({ kind: 'tags' }, 1)).toBe('the label is 1, not a list of tags');
});

describe('boxes', () => {
  const labels: LabelSpec = { kind: 'boxes', classes: ['cat', 'dog'] };
  const box = { category: 'dog', x: 1, y: -2, width: 3, height: 4 };

  it('have the area of the box and are no crowd unless they say otherwise', () => {
    const first = { category: 1, x: 1, y: -2, width: 3, height: 4, isCrowd: false, area: 12 };
    expect(parse(labels, [box])).toEqual({ kind: 'boxes', boxes: [first] });
    expect(parse(labels, JSON.stringify([{ ...box, isCrowd: true, area: 5.5 }]))).toEqual({
      kind: 'boxes',
      boxes: [{ ...first, isCrowd: true, area: 5.5 }],
    });
    expect(parse(labels, [])).toEqual({ kind: 'boxes', boxes: [] });
  });

  it.each([
    [{ ...box, width: -1 }, 'width of box 0 is -1, not a size in pixels'],
    [{ ...box, height: '4' }, "height of box 0 is the text '4', not a size in pixels"],
    [{ ...box, x: undefined }, 'x of box 0 is nothing, not a number in pixels'],
    [{ ...box, category: 2 }, 'the label is 2, but `labels.classes` names the classes 0 to 1'],
    [{ ...box, isCrowd: 2 }, 'whether box 0 is a crowd is 2, not a boolean'],
    [{ ...box, area: -1 }, 'the area of box 0 is -1, not a number of pixels'],
    [[1, 2, 3, 4], 'box 0 is an array of 4, not an object'],
  ])('%j is none', (wrong, message) => {
    expect(faultOf(labels, [wrong])).toBe(message);
  });

  it('stand in an array', () => {
    expect(faultOf(labels, box)).toBe('the label is an object, not an array of boxes');
    expect(faultOf(labels, 'cat')).toBe("the label is the text 'cat', not an array of boxes");
  });
});

it('masks stand in no file of labels', () => {
  const result = attempt(() => createTruthParser({ kind: 'mask' }, { file: 'labels.csv' }));
  expect(result).toMatchObject({ ok: false, error: { kind: 'labels-invalid' } });
});
