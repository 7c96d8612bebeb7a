import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { attempt } from '../../../../src/core/problem.ts';
import { alignNormalizer } from '../../../../src/data/text/align-normalizer.ts';
import type { TokenizerPart } from '../../../../src/data/text/tokenizer-parts.ts';

/** What the library makes of a text with a normalizer. */
function normalize(normalizer: TokenizerPart, text: string): string {
  const tokenizer = new Tokenizer(
    {
      normalizer: alignNormalizer(normalizer, 'tokenizer.json'),
      pre_tokenizer: null,
      model: { type: 'Legacy', vocab: {} },
      post_processor: null,
      decoder: null,
      added_tokens: [],
    },
    {},
  );
  return tokenizer.tokenize(text).join('|');
}

function problemOf(part: TokenizerPart): unknown {
  const aligned = attempt(() => alignNormalizer(part, 'tokenizer.json'));
  return aligned.ok ? undefined : aligned.error;
}

describe('alignNormalizer', () => {
  const bert = {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  };

  it('lowers each letter by itself, a sigma at the end of a word too', () => {
    expect(normalize({ type: 'Lowercase' }, 'ΟΔΟΣ ΣΑΣ')).toBe('οδοσ σασ');
    expect(normalize(bert, 'ΟΔΟΣ')).toBe('οδοσ');
  });

  it('cleans a text as BERT does: no controls, plain spaces', () => {
    expect(normalize(bert, 'a\u0000b\u0007c\u200bd\ufffde\tf\u00a0g\u3000h\ni')).toBe('abcde f g h i');
    expect(normalize({ ...bert, clean_text: false }, 'a\tb')).toBe('a\tb');
  });

  it('puts spaces around ideographs, in the supplementary planes too', () => {
    expect(normalize(bert, 'a你好b')).toBe('a 你  好 b');
    expect(normalize(bert, '\u{20000}')).toBe(' \u{20000} ');
    expect(normalize({ ...bert, handle_chinese_chars: false }, 'a你')).toBe('a你');
  });

  it('takes accents off where letters are lowered, unless told otherwise', () => {
    expect(normalize(bert, 'Déjà')).toBe('deja');
    expect(normalize({ ...bert, strip_accents: false }, 'Déjà')).toBe('déjà');
    expect(normalize({ ...bert, lowercase: false }, 'Déjà')).toBe('Déjà');
    expect(normalize({ ...bert, lowercase: false, strip_accents: true }, 'Déjà')).toBe('Deja');
  });

  it('strips the white space of Unicode, and that alone', () => {
    const strip = { type: 'Strip', strip_left: true, strip_right: true };
    expect(normalize(strip, ' \u0085\u3000a b\n\u2028')).toBe('a b');
    expect(normalize(strip, '\ufeffa')).toBe('\ufeffa');
    expect(normalize({ ...strip, strip_right: false }, ' a ')).toBe('a ');
    expect(normalize({ ...strip, strip_left: false }, ' a ')).toBe(' a');
  });

  it('replaces by the text itself, whatever it means in JavaScript', () => {
    const replace = (pattern: unknown, content: string): TokenizerPart => ({
      type: 'Replace',
      pattern,
      content,
    });
    expect(normalize(replace({ String: 'euro' }, '$&$$'), '1 euro')).toBe('1 $&$$');
    expect(normalize(replace({ String: 'a.b' }, '-'), 'a.b axb')).toBe('- axb');
    expect(normalize(replace({ Regex: '\\d+' }, '0'), '12 ٣٤')).toBe('0 0');
  });

  it('goes through sequences', () => {
    const inner = { type: 'Sequence', normalizers: [{ type: 'NFD' }, { type: 'StripAccents' }] };
    expect(normalize({ type: 'Sequence', normalizers: [{ type: 'Lowercase' }, inner] }, 'É')).toBe('e');
  });

  it('refuses what it cannot write, and finds what no library writes', () => {
    expect(problemOf({ type: 'Nmt' })).toMatchObject({
      kind: 'tokenizer-unsupported',
      place: { file: 'tokenizer.json' },
    });
    expect(problemOf({ type: 'Replace', pattern: { Regex: 'a' } })).toMatchObject({
      kind: 'tokenizer-invalid',
    });
    expect(problemOf({ type: 'Replace', pattern: {}, content: '' })).toMatchObject({
      kind: 'tokenizer-invalid',
    });
    expect(problemOf({ type: 'Sequence', normalizers: [1] })).toMatchObject({ kind: 'tokenizer-invalid' });
  });
});
