import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { attempt } from '../../../../src/core/problem.ts';
import { alignPreTokenizer } from '../../../../src/data/text/align-pre-tokenizer.ts';
import type { TokenizerPart } from '../../../../src/data/text/tokenizer-parts.ts';

interface Encodings {
  readonly texts: readonly string[];
  readonly pieces: Readonly<
    Record<
      string,
      { readonly preTokenizer: TokenizerPart; readonly pieces: readonly (readonly string[] | null)[] }
    >
  >;
}

const fixture = fileURLToPath(new URL('../../../fixtures/tokenizers/encodings.json', import.meta.url));
const { texts, pieces } = JSON.parse(readFileSync(fixture, 'utf8')) as Encodings;

/** The pieces that the library makes of texts with a pre-tokenizer. */
function splitterOf(preTokenizer: TokenizerPart): (text: string) => readonly string[] {
  const tokenizer = new Tokenizer(
    {
      normalizer: null,
      pre_tokenizer: alignPreTokenizer(preTokenizer, 'tokenizer.json'),
      model: { type: 'Legacy', vocab: {} },
      post_processor: null,
      decoder: null,
      added_tokens: [],
    },
    {},
  );
  return (text) => tokenizer.tokenize(text);
}

function problemOf(part: TokenizerPart): unknown {
  const aligned = attempt(() => alignPreTokenizer(part, 'tokenizer.json'));
  return aligned.ok ? undefined : aligned.error;
}

describe('alignPreTokenizer', () => {
  it.each(Object.entries(pieces))(
    'splits as the Rust library does: %s',
    (_name, { preTokenizer, pieces: expected }) => {
      const split = splitterOf(preTokenizer);
      for (const [i, text] of texts.entries()) {
        if (expected[i] !== null) expect(split(text), JSON.stringify(text)).toEqual(expected[i]);
      }
    },
  );

  it('leaves no pre-tokenizer alone', () => {
    expect(alignPreTokenizer(null, 'tokenizer.json')).toBeNull();
  });

  it('reads the flag that files had before the scheme for the first mark', () => {
    const never = splitterOf({ type: 'Metaspace', replacement: '_', add_prefix_space: false });
    expect(never('a b')).toEqual(['a', '_b']);
    const always = splitterOf({ type: 'Metaspace', replacement: '_', add_prefix_space: true });
    expect(always('a b')).toEqual(['_a', '_b']);
  });

  it('puts a space before a text, whole characters ahead', () => {
    const split = splitterOf({ type: 'ByteLevel', add_prefix_space: true });
    expect(split('😀x')).toEqual(['ĠðŁĺĢ', 'x']);
    expect(split(' x')).toEqual(['Ġx']);
  });

  it('takes a text as a pattern literally', () => {
    expect(splitterOf({ type: 'Split', pattern: { String: '.' }, behavior: 'Isolated' })('a.b')).toEqual([
      'a',
      '.',
      'b',
    ]);
  });

  it.each([
    [{ type: 'UnicodeScripts' }, "'UnicodeScripts'"],
    [{ type: 'Split', pattern: { String: 'a' }, behavior: 'MergedWithNext', invert: true }, 'inverted'],
    [{ type: 'Split', pattern: { String: 'a' }, behavior: 'Sideways' }, "'Sideways'"],
  ])('refuses what it cannot write: %j', (part, named) => {
    expect(problemOf(part)).toMatchObject({
      kind: 'tokenizer-unsupported',
      message: expect.stringContaining(named),
      place: { file: 'tokenizer.json' },
      hint: expect.any(String),
    });
  });

  it.each([
    [{ type: 'Split', behavior: 'Removed' }],
    [{ type: 'Sequence' }],
    [{ type: 'Sequence', pretokenizers: [{ pattern: 1 }] }],
  ])('finds what no library writes: %j', (part) => {
    expect(problemOf(part)).toMatchObject({ kind: 'tokenizer-invalid', place: { file: 'tokenizer.json' } });
  });
});
