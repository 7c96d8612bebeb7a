import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { InputSpec, TokenizeSpec } from '../../../src/core/data-spec.ts';
import { ok } from '../../../src/core/result.ts';
import { bindText, shareTokenizers } from '../../../src/data/bind-text.ts';
import type { FieldInfo } from '../../../src/data/item-collection.ts';
import type { ModelInput } from '../../../src/data/sample-source.ts';
import { openTokenizer, type TextTokenizer } from '../../../src/data/text/tokenize.ts';
import { textValue } from '../../support/fake-collection.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const TOKENIZER = fileURLToPath(new URL('../../fixtures/tokenizers/wordpiece.json', import.meta.url));
const TEXT: FieldInfo = { kind: 'text', name: 'sentence' };
const IDS: ModelInput = { name: 'input_ids', type: 'int64', dims: ['batch', 'sequence'] };
const AT = { file: 'data', sample: 2 };

function bind(
  tokenize: Partial<TokenizeSpec> | undefined,
  input: Partial<ModelInput> = {},
  more: InputSpec = {},
) {
  const spec = tokenize === undefined ? more : { ...more, tokenize: { tokenizer: TOKENIZER, ...tokenize } };
  return bindText({ ...IDS, ...input }, TEXT, { spec, file: 'data', open: shareTokenizers() });
}

async function fed(...args: Parameters<typeof bind>) {
  return unwrap(await unwrap(await bind(...args)).prepare(textValue('the cat'), AT)).tensor;
}

/** What the tokenizer itself gives. */
async function encode(text: string, spec: Partial<TokenizeSpec> = {}) {
  return unwrap(await openTokenizer({ tokenizer: TOKENIZER, ...spec })).encode(text);
}

describe('a text', () => {
  it('is fed as the ids of its tokens, one row', async () => {
    const { ids } = await encode('the cat');
    expect(ids.length).toBeGreaterThan(2);
    expect(await fed({})).toEqual({ type: 'int64', dims: [1, ids.length], data: ids });
  });

  it('is as long as the settings say', async () => {
    const tokenize = { maxLength: 12, padding: 'max-length' } as const;
    expect(unwrap(await bind(tokenize, { dims: [1, 12] })).fed.dims).toEqual([1, 12]);
    expect(await fed(tokenize)).toMatchObject({
      dims: [1, 12],
      data: (await encode('the cat', tokenize)).ids,
    });
    expect(unwrap(await bind({ maxLength: 12 })).fed.dims).toBeUndefined();
  });

  it('is refused where it never fits the model, or a single one does not', async () => {
    expect(await bind({ maxLength: 12, padding: 'max-length' }, { dims: [1, 16] })).toMatchObject({
      ok: false,
      error: {
        kind: 'shape-mismatch',
        message: expect.stringContaining('a text of 12 tokens'),
        place: { file: 'data', tensor: 'input_ids' },
      },
    });
    const binding = unwrap(await bind({}, { dims: [1, 300] }));
    expect(await binding.prepare(textValue('the cat'), AT)).toMatchObject({
      ok: false,
      error: { kind: 'shape-mismatch', place: { ...AT, tensor: 'input_ids' } },
    });
  });

  it('may be fed as another type of integers that holds the ids', async () => {
    const { ids } = await encode('the cat');
    expect(await fed({}, { type: 'int32' })).toMatchObject({
      type: 'int32',
      data: Int32Array.from(ids, Number),
    });
    const tokenizer: TextTokenizer = {
      encode: () => ({ ids: BigInt64Array.of(300n), attentionMask: ids, typeIds: ids }),
    };
    const binding = await bindText({ ...IDS, type: 'uint8' }, TEXT, {
      spec: { tokenize: { tokenizer: TOKENIZER } },
      file: 'data',
      open: async () => ok(tokenizer),
    });
    expect(await unwrap(binding).prepare(textValue('the cat'), AT)).toMatchObject({
      ok: false,
      error: { kind: 'value-unrepresentable', message: expect.stringContaining('300'), place: AT },
    });
    expect(await bind({}, { type: 'string' })).toMatchObject({
      ok: false,
      error: { kind: 'dtype-mismatch' },
    });
  });

  it('needs a tokenizer, which must be there', async () => {
    expect(await bind(undefined)).toMatchObject({
      ok: false,
      error: { kind: 'tokenizer-missing', message: expect.stringContaining("'sentence' is text") },
    });
    expect(await bind({ tokenizer: '/nowhere.json' })).toMatchObject({
      ok: false,
      error: { kind: 'tokenizer-unreadable', place: { file: '/nowhere.json' } },
    });
  });

  it.each<[string, InputSpec]>([
    ['image', { image: {} }],
    ['scale', { scale: 2 }],
    ['mean', { mean: 0 }],
    ['std', { std: 1 }],
    ['dims', { dims: [4] }],
  ])('has no step `%s`', async (step, more) => {
    expect(await bind({}, {}, more)).toMatchObject({
      ok: false,
      error: { kind: 'preprocess-invalid', message: expect.stringContaining(`\`${step}\` has no effect`) },
    });
  });
});

describe('what of an encoding is fed', () => {
  it.each([
    ['input_ids', 'ids'],
    ['input_ids:0', 'ids'],
    ['input_ids.1', 'ids'],
    ['inputIds', 'ids'],
    ['tokens', 'ids'],
    ['attention_mask', 'attentionMask'],
    ['input_mask:0', 'attentionMask'],
    ['token_type_ids', 'typeIds'],
    ['segment_ids:0', 'typeIds'],
  ] as const)('follows from the name %s', async (name, part) => {
    const tokenize = { maxLength: 16, padding: 'max-length' } as const;
    expect((await fed(tokenize, { name })).data).toEqual((await encode('the cat', tokenize))[part]);
  });

  it.each(['position_ids', 'unique_ids_raw_output___9:0', 'decoder_input_ids', 'pixel_mask', 'input', 'x'])(
    'is not guessed from the name %s',
    async (name) => {
      expect(await bind({}, { name })).toMatchObject({
        ok: false,
        error: {
          kind: 'input-missing',
          place: { tensor: name },
          hint: expect.stringContaining('tokenize.output'),
        },
      });
    },
  );

  it.each([
    ['ids', 'ids'],
    ['attention-mask', 'attentionMask'],
    ['type-ids', 'typeIds'],
  ] as const)('is %s where the settings say so, whatever the name', async (output, part) => {
    const tokenize = { maxLength: 16, padding: 'max-length', output } as const;
    expect((await fed(tokenize, { name: 'attention_mask' })).data).toEqual(
      (await encode('the cat', tokenize))[part],
    );
  });
});

describe('a shared tokenizer', () => {
  it('is opened once for all outputs, and again for other settings', async () => {
    const file = join(temporaryFolder(), 'tokenizer.json');
    copyFileSync(TOKENIZER, file);
    const open = shareTokenizers();
    const first = unwrap(await open({ tokenizer: file, output: 'ids' }));
    rmSync(file);
    expect(unwrap(await open({ tokenizer: file, output: 'attention-mask' }))).toBe(first);
    expect(unwrap(await open({ tokenizer: file }))).toBe(first);
    expect(await open({ tokenizer: file, maxLength: 4 })).toMatchObject({
      error: { kind: 'tokenizer-unreadable' },
    });
  });

  it('encodes a text once, though three inputs are made of it', async () => {
    const tokenizer = unwrap(await shareTokenizers()({ tokenizer: TOKENIZER }));
    const encoding = tokenizer.encode('the cat');
    expect(tokenizer.encode('the cat')).toBe(encoding);
    expect(tokenizer.encode('the mat')).not.toEqual(encoding);
    expect(tokenizer.encode('the cat')).toEqual(encoding);
  });
});
