import { describe, expect, it } from 'vitest';
import {
  charactersOf,
  normalizeText,
  numberWords,
  wordsOf,
} from '../../../../../src/evaluation/tasks/text/normalize-text.ts';

describe('normalizeText', () => {
  const text = ' It’s\t 9 O’Clock,\n  Straße! ';

  it.each([
    ['none', text],
    ['whitespace', 'It’s 9 O’Clock, Straße!'],
    ['lowercase', 'it’s 9 o’clock, straße!'],
    ['plain', 'its 9 oclock straße'],
  ] as const)('with %s', (how, expected) => {
    expect(normalizeText(text, how)).toBe(expected);
  });

  it('leaves one space where punctuation stood between two', () => {
    expect(normalizeText('yes – no …', 'plain')).toBe('yes no');
  });

  it('keeps signs that are no punctuation, and removes punctuation of every script', () => {
    expect(normalizeText('1 + 1 = 2 €「東京」。', 'plain')).toBe('1 + 1 = 2 €東京');
  });

  it('takes spaces of every kind for white space', () => {
    expect(normalizeText('\u00a0a\u3000\u2009b\r\n', 'whitespace')).toBe('a b');
  });
});

describe('wordsOf', () => {
  it('is what stands between white space', () => {
    expect(wordsOf('  to be\n\u00a0or  not ')).toEqual(['to', 'be', 'or', 'not']);
    expect(wordsOf(' \t')).toEqual([]);
  });
});

describe('charactersOf', () => {
  it('counts code points and not UTF-16 units', () => {
    expect([...charactersOf('a😀')]).toEqual([0x61, 0x1f600]);
    expect([...charactersOf('👍🏽')]).toEqual([0x1f44d, 0x1f3fd]);
  });

  it('counts a letter and its combining accent as two, as Python does', () => {
    expect(charactersOf('nai\u0308ve')).toHaveLength(6);
    expect(charactersOf('naïve')).toHaveLength(5);
  });

  it('leaves out white space at the ends only', () => {
    expect([...charactersOf(' a  b\n')]).toEqual([0x61, 0x20, 0x20, 0x62]);
    expect(charactersOf(' ')).toHaveLength(0);
  });

  it('keeps half of a surrogate pair as a character of its own', () => {
    expect([...charactersOf('\ud83da')]).toEqual([0xd83d, 0x61]);
  });
});

describe('numberWords', () => {
  it('gives equal words the same number in both lists', () => {
    const [a, b] = numberWords(['x', 'y', 'x'], ['y', 'constructor', 'x']);
    expect([...a]).toEqual([0, 1, 0]);
    expect([...b]).toEqual([1, 2, 0]);
  });
});
