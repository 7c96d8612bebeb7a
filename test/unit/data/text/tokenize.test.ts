import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TokenizeSpec } from '../../../../src/core/data-spec.ts';
import { openTokenizer, type TextEncoding } from '../../../../src/data/text/tokenize.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';

const folder = fileURLToPath(new URL('../../../fixtures/tokenizers', import.meta.url));
const { texts, tokenizers } = JSON.parse(readFileSync(join(folder, 'encodings.json'), 'utf8')) as {
  readonly texts: readonly string[];
  readonly tokenizers: Readonly<Record<string, readonly (readonly number[])[]>>;
};

/** A tokenizer of whole words, small enough to read: [PAD] 0, [UNK] 1, [CLS] 2, [SEP] 3, a 4, b 5, c 6. */
const WORDS = {
  added_tokens: [0, 1, 2, 3].map((id) => ({
    id,
    content: ['[PAD]', '[UNK]', '[CLS]', '[SEP]'][id],
    special: true,
  })),
  normalizer: null,
  pre_tokenizer: { type: 'WhitespaceSplit' },
  model: {
    type: 'WordLevel',
    unk_token: '[UNK]',
    vocab: { '[PAD]': 0, '[UNK]': 1, '[CLS]': 2, '[SEP]': 3, a: 4, b: 5, c: 6 },
  },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '[CLS]', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '[SEP]', type_id: 2 } },
    ],
    pair: [],
    special_tokens: {
      '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
      '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
    },
  },
};

function write(tokenizer: unknown, config?: unknown): string {
  const target = temporaryFolder();
  const path = join(target, 'tokenizer.json');
  writeFileSync(path, typeof tokenizer === 'string' ? tokenizer : JSON.stringify(tokenizer));
  if (config !== undefined) {
    writeFileSync(
      join(target, 'tokenizer_config.json'),
      typeof config === 'string' ? config : JSON.stringify(config),
    );
  }
  return path;
}

interface Numbers {
  readonly ids: readonly number[];
  readonly mask: readonly number[];
  readonly types: readonly number[];
}

function asNumbers({ ids, attentionMask, typeIds }: TextEncoding): Numbers {
  return {
    ids: Array.from(ids, Number),
    mask: Array.from(attentionMask, Number),
    types: Array.from(typeIds, Number),
  };
}

async function encode(tokenizer: string, text: string, more: Partial<TokenizeSpec> = {}): Promise<Numbers> {
  return asNumbers(unwrap(await openTokenizer({ tokenizer, ...more })).encode(text));
}

async function problemOf(tokenizer: string, more: Partial<TokenizeSpec> = {}): Promise<unknown> {
  const opened = await openTokenizer({ tokenizer, ...more });
  return opened.ok ? undefined : opened.error;
}

describe('ids', () => {
  it.each(Object.entries(tokenizers))('are those of the Rust library: %s', async (name, expected) => {
    const tokenizer = unwrap(await openTokenizer({ tokenizer: join(folder, `${name}.json`) }));
    for (const [i, text] of texts.entries()) {
      expect(asNumbers(tokenizer.encode(text)).ids, JSON.stringify(text)).toEqual(expected[i]);
    }
  });

  it('come with a mask and with types, between the special tokens', async () => {
    expect(await encode(write(WORDS), 'a b x')).toEqual({
      ids: [2, 4, 5, 1, 3],
      mask: [1, 1, 1, 1, 1],
      types: [0, 0, 0, 0, 2],
    });
    expect(await encode(write(WORDS), '')).toEqual({ ids: [2, 3], mask: [1, 1], types: [0, 2] });
  });

  it('are those of the words alone where there is no post-processor', async () => {
    expect(await encode(write({ ...WORDS, post_processor: null }), 'c a')).toMatchObject({
      ids: [6, 4],
      types: [0, 0],
    });
    const { model } = WORDS;
    expect(await encode(write({ model }), 'c')).toMatchObject({ ids: [6] });
  });

  it('are found in files that do not name the type of their model', async () => {
    const { type: _type, ...model } = WORDS.model;
    expect(await encode(write({ ...WORDS, model }), 'c x')).toMatchObject({ ids: [2, 6, 1, 3] });
    const pieces = {
      vocab: { '[UNK]': 0, a: 1, '##b': 2 },
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
    };
    expect(await encode(write({ model: pieces }), 'ab')).toMatchObject({ ids: [1, 2] });
  });

  it('are found where the file leaves out what is usual', async () => {
    const model = { type: 'WordPiece', vocab: { '[UNK]': 0, a: 1, '##b': 2 } };
    expect(await encode(write({ model }), 'ab')).toMatchObject({ ids: [1, 2] });
    expect(await encode(write({ model }), 'b')).toMatchObject({ ids: [0] });
  });

  it('of special tokens may stand in the vocabulary alone, also where that is a list', async () => {
    const vocab = ['<unk>', '<s>', '</s>', 'a', 'b'].map((token) => [token, 0]);
    const withEnd = (id: number) => ({
      ...WORDS,
      added_tokens: [],
      model: { type: 'Unigram', unk_id: 0, vocab },
      post_processor: {
        type: 'TemplateProcessing',
        single: [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '</s>', type_id: 0 } }],
        special_tokens: { '</s>': { id: '</s>', ids: [id], tokens: ['</s>'] } },
      },
    });
    expect((await encode(write(withEnd(2)), 'a b')).ids).toEqual([3, 4, 2]);
    expect(await problemOf(write(withEnd(1)))).toMatchObject({
      message: expect.stringContaining("'</s>' (1) has the id 2 in the vocabulary"),
    });
  });

  it('of a very long text are all there', async () => {
    const unigram = join(folder, 'unigram.json');
    expect((await encode(unigram, 'word '.repeat(100_000))).ids.length).toBeGreaterThan(100_000);
  });
});

describe('cutting and filling', () => {
  const file = () => write(WORDS);

  it('cuts the end of the text and keeps the special tokens', async () => {
    expect(await encode(file(), 'a b c a', { maxLength: 4 })).toMatchObject({ ids: [2, 4, 5, 3] });
    expect(await encode(file(), 'a b', { maxLength: 4 })).toMatchObject({ ids: [2, 4, 5, 3] });
    expect(await encode(file(), 'a b', { maxLength: 2 })).toMatchObject({ ids: [2, 3] });
  });

  it('fills up with the token for it, which the mask leaves out', async () => {
    expect(await encode(file(), 'a', { maxLength: 5, padding: 'max-length' })).toEqual({
      ids: [2, 4, 3, 0, 0],
      mask: [1, 1, 1, 0, 0],
      types: [0, 0, 2, 0, 0],
    });
    expect(await encode(file(), 'a', { maxLength: 5, padding: 'none' })).toMatchObject({ ids: [2, 4, 3] });
  });

  it('is done on the side that the settings beside the tokenizer name', async () => {
    const left = write(WORDS, { padding_side: 'left', truncation_side: 'left' });
    expect(await encode(left, 'a', { maxLength: 5, padding: 'max-length' })).toMatchObject({
      ids: [0, 0, 2, 4, 3],
      mask: [0, 0, 1, 1, 1],
    });
    expect(await encode(left, 'a b c', { maxLength: 4 })).toMatchObject({ ids: [2, 5, 6, 3] });
  });

  it('is done as the file says, but for its lengths', async () => {
    const padding = { direction: 'Left', pad_id: 6, pad_type_id: 7, pad_token: 'c', strategy: { Fixed: 9 } };
    const truncation = { direction: 'Left', max_length: 3, strategy: 'LongestFirst', stride: 0 };
    const path = write({ ...WORDS, padding, truncation });
    expect(await encode(path, 'a b c')).toMatchObject({ ids: [2, 4, 5, 6, 3] });
    expect(await encode(path, 'a b', { maxLength: 3 })).toMatchObject({ ids: [2, 5, 3] });
    expect(await encode(path, 'a', { maxLength: 4, padding: 'max-length' })).toEqual({
      ids: [6, 2, 4, 3],
      mask: [0, 1, 1, 1],
      types: [7, 0, 0, 2],
    });
  });

  it('takes the token to fill with from the settings, as a text or an object', async () => {
    for (const token of ['b', { content: 'b' }]) {
      const path = write(WORDS, { pad_token: token });
      expect(await encode(path, 'a', { maxLength: 4, padding: 'max-length' })).toMatchObject({
        ids: [2, 4, 3, 5],
      });
    }
  });

  it('gives exactly the length that was asked for, and the start of the whole encoding', async () => {
    const path = join(folder, 'wordpiece.json');
    const whole = unwrap(await openTokenizer({ tokenizer: path }));
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 2, max: 12 }),
        async (text, maxLength) => {
          const { ids, mask, types } = await encode(path, text, { maxLength, padding: 'max-length' });
          expect([ids.length, mask.length, types.length]).toEqual([maxLength, maxLength, maxLength]);
          const all = asNumbers(whole.encode(text)).ids;
          const kept = Math.min(all.length, maxLength);
          expect(mask).toEqual(mask.map((_, i) => (i < kept ? 1 : 0)));
          expect(ids.slice(0, kept - 1)).toEqual(all.slice(0, kept - 1));
          expect(ids[kept - 1]).toBe(all.at(-1));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('needs a length, room for the special tokens, and a token to fill with', async () => {
    expect(await problemOf(file(), { padding: 'max-length' })).toMatchObject({
      kind: 'tokenizer-settings-invalid',
    });
    for (const maxLength of [0, -1, 1.5, 1]) {
      expect(await problemOf(file(), { maxLength }), `${maxLength}`).toMatchObject({
        kind: 'tokenizer-settings-invalid',
        hint: expect.any(String),
      });
    }
    const bare = write({ model: { type: 'WordLevel', vocab: { a: 0, '<unk>': 1 }, unk_token: '<unk>' } });
    expect(await problemOf(bare, { maxLength: 4, padding: 'max-length' })).toMatchObject({
      kind: 'tokenizer-settings-invalid',
      message: expect.stringContaining('no token'),
      place: { file: bare },
    });
  });
});

describe('a file that is no tokenizer', () => {
  const model = WORDS.model;

  it('is unreadable when it is missing', async () => {
    expect(await problemOf('/nowhere/tokenizer.json')).toMatchObject({
      kind: 'tokenizer-unreadable',
      place: { file: '/nowhere/tokenizer.json' },
    });
    expect(await problemOf('/')).toMatchObject({ kind: 'tokenizer-unreadable' });
  });

  it.each([
    ['no JSON', '{"model":', 'not JSON'],
    ['a list', [], 'no model'],
    ['another object', { hidden_size: 768 }, 'no model'],
    ['without a vocabulary', { model: { type: 'WordPiece', unk_token: '[UNK]' } }, 'no vocabulary'],
    ['BPE without merges', { model: { type: 'BPE', vocab: {} } }, 'merges'],
    ['Unigram with the wrong vocabulary', { model: { type: 'Unigram', vocab: {}, unk_id: 0 } }, 'not a list'],
    ['unknown words without a token', { model: { ...model, unk_token: '<oov>' } }, "'<oov>'"],
    ['WordPiece without its token', { model: { type: 'WordPiece', vocab: { a: 0 } } }, "'[UNK]'"],
    ['added tokens without ids', { ...WORDS, added_tokens: [{ content: 'x' }] }, 'added token'],
    ['added tokens that are no list', { ...WORDS, added_tokens: {} }, 'added_tokens'],
    ['a part without a type', { ...WORDS, normalizer: {} }, "'normalizer'"],
    [
      'special tokens that are not there',
      { model, post_processor: { type: 'BertProcessing', sep: ['x', 9], cls: ['a', 4] } },
      "'x' (9) is not",
    ],
    [
      'special tokens of another id',
      { model, post_processor: { type: 'RobertaProcessing', sep: ['a', 9], cls: ['a', 4] } },
      'has the id 4',
    ],
    [
      'a post-processor without tokens',
      { model, post_processor: { type: 'BertProcessing' } },
      'no special tokens',
    ],
  ])('is invalid: %s', async (_what, tokenizer, message) => {
    const path = write(tokenizer);
    expect(await problemOf(path)).toMatchObject({
      kind: 'tokenizer-invalid',
      message: expect.stringContaining(message),
      place: { file: path },
      hint: expect.any(String),
    });
  });

  it('is invalid: settings beside it that are none', async () => {
    for (const config of ['nothing', '[]']) {
      const path = write(WORDS, config);
      expect(await problemOf(path)).toMatchObject({
        kind: 'tokenizer-invalid',
        place: { file: path.replace('.json', '_config.json') },
      });
    }
  });

  const bpe = { type: 'BPE', vocab: { a: 0, b: 1, ab: 2 }, merges: ['a b'] };
  const unigram = {
    type: 'Unigram',
    vocab: [
      ['<unk>', 0],
      ['a', -1],
    ],
    unk_id: 0,
  };

  it.each([
    ['the model', { model: { type: 'Quantum', vocab: {} } }],
    ['dropout', { model: { ...bpe, dropout: 0.1 } }],
    ['prefix', { model: { ...bpe, continuing_subword_prefix: '##' } }],
    ['unknown words', { model: { ...unigram, unk_id: null } }],
    ['bytes', { model: { ...unigram, byte_fallback: true } }],
    ['a word of its own', { ...WORDS, added_tokens: [{ id: 4, content: 'a', single_word: true }] }],
    ['Mirror', { model: bpe, normalizer: { type: 'Mirror' } }],
    ['Mirror', { model: bpe, post_processor: { type: 'Mirror' } }],
    ['Mirror', { model: bpe, pre_tokenizer: { type: 'Mirror' } }],
    [
      'stands for several',
      { ...WORDS, post_processor: { ...WORDS.post_processor, special_tokens: { '[CLS]': { ids: [2, 3] } } } },
    ],
  ])('is not supported, and says why: %s', async (message, tokenizer) => {
    const path = write(tokenizer);
    expect(await problemOf(path)).toMatchObject({
      kind: 'tokenizer-unsupported',
      message: expect.stringContaining(message),
      place: { file: path },
      hint: expect.any(String),
    });
  });

  it('is one after all where what is not needed is unknown, such as how to turn ids into text', async () => {
    expect(await encode(write({ model: bpe, decoder: { type: 'Mirror' } }), 'ab')).toMatchObject({
      ids: [2],
    });
    expect(await encode(write({ model: unigram }), 'a')).toMatchObject({ ids: [1] });
  });
});
