import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { DataSpec } from '../../../src/core/data-spec.ts';
import { problem } from '../../../src/core/problem.ts';
import { type BindingRequest, bindInputs, neededFields } from '../../../src/data/bind-inputs.ts';
import type { FieldInfo, ItemCollection } from '../../../src/data/item-collection.ts';
import type { ModelInput } from '../../../src/data/sample-source.ts';
import { fakeCollection, textValue } from '../../support/fake-collection.ts';
import { unwrap } from '../../support/unwrap.ts';

const TOKENIZER = fileURLToPath(new URL('../../fixtures/tokenizers/wordpiece.json', import.meta.url));
const TOKENIZE = { tokenizer: TOKENIZER, maxLength: 8, padding: 'max-length' } as const;

const floats = (name: string, dims: ModelInput['dims'] = ['n', 2]): ModelInput => ({
  name,
  type: 'float32',
  dims,
});
const integers = (name: string): ModelInput => ({ name, type: 'int64', dims: ['batch', 'sequence'] });
const numbers = (name: string): FieldInfo => ({ kind: 'tensor', name, type: 'float32', dims: [2] });
const TEXT: FieldInfo = { kind: 'text', name: 'text' };
const IMAGE: FieldInfo = { kind: 'image', name: 'image' };

const holding = (fields: readonly FieldInfo[], more: Partial<ItemCollection> = {}) =>
  fakeCollection([], { fields, ...more });

function bind(
  fields: readonly FieldInfo[],
  modelInputs: readonly ModelInput[],
  spec: Partial<DataSpec> = {},
  more: Partial<ItemCollection> & Pick<BindingRequest, 'modelOutputs'> = {},
) {
  const { modelOutputs, ...collection } = more;
  return bindInputs(holding(fields, collection), {
    spec: { path: 'data', ...spec },
    split: 'eval',
    modelInputs,
    ...(modelOutputs === undefined ? {} : { modelOutputs }),
  });
}

/** The field that feeds each input. */
async function boundFields(...args: Parameters<typeof bind>): Promise<unknown> {
  const bindings = await bind(...args);
  if (!bindings.ok) return `${bindings.error.kind}: ${bindings.error.message}`;
  return Object.fromEntries(bindings.value.map(({ fed, field }) => [fed.name, field]));
}

describe('an input', () => {
  it('is fed by the field of its name', async () => {
    expect(await boundFields([numbers('a'), numbers('b')], [floats('b'), floats('a')])).toEqual({
      a: 'a',
      b: 'b',
    });
  });

  it('is fed by the field that `from` names, before the one of its own name', async () => {
    const inputs = { a: { from: 'b' } };
    expect(await boundFields([numbers('a'), numbers('b')], [floats('a')], { inputs })).toEqual({ a: 'b' });
    expect(
      await boundFields([numbers('a'), numbers('b')], [floats('x')], { preprocess: { from: 'b' } }),
    ).toEqual({
      x: 'b',
    });
  });

  it('is fed by the only field where it is the only input, whatever they are called', async () => {
    expect(await boundFields([numbers('array')], [floats('x')])).toEqual({ x: 'array' });
    expect(await boundFields([IMAGE], [floats('x', ['n', 3, 'h', 'w'])])).toEqual({ x: 'image' });
  });

  it('is fed by the only field where all other inputs are constants', async () => {
    const inputs = { b: { value: [1, 2] } };
    expect(await boundFields([numbers('array')], [floats('x'), floats('b')], { inputs })).toEqual({
      x: 'array',
      b: undefined,
    });
  });

  it('is not fed by the only field where another input could be meant as well', async () => {
    expect(await bind([numbers('array')], [floats('a'), floats('b')])).toMatchObject({
      ok: false,
      error: {
        kind: 'input-missing',
        message:
          "the data has no field 'a' for the model's input 'a'; it has 'array', the model needs 'a', 'b'",
        place: { file: 'data', tensor: 'a' },
        hint: expect.stringContaining('{ a: { from: array } }'),
      },
    });
    expect(
      await bind([numbers('array')], [floats('a'), floats('b')], { inputs: { a: { from: 'array' } } }),
    ).toMatchObject({ ok: false, error: { kind: 'input-missing', place: { tensor: 'b' } } });
  });

  it('is not fed by one of several fields that are called otherwise', async () => {
    expect(await bind([numbers('a'), numbers('b')], [floats('x')])).toMatchObject({
      ok: false,
      error: { kind: 'input-missing', message: expect.stringContaining("it has 'a', 'b'") },
    });
  });

  it('cannot come from a field that is not there', async () => {
    expect(await bind([numbers('a')], [floats('a')], { inputs: { a: { from: 'z' } } })).toMatchObject({
      ok: false,
      error: {
        kind: 'input-missing',
        message: expect.stringContaining("no field 'z' for the model's input 'a'; it has 'a'"),
        place: { file: 'data', tensor: 'z' },
      },
    });
  });

  it('that the model does not have cannot be described', async () => {
    expect(await bind([numbers('a')], [floats('a')], { inputs: { b: { scale: 2 } } })).toMatchObject({
      ok: false,
      error: {
        kind: 'input-unknown',
        message: expect.stringContaining("'b'"),
        place: { file: 'data', tensor: 'b' },
        hint: "its inputs are 'a'",
      },
    });
  });

  it('passes on why its field cannot be read, and the problem of its constant', async () => {
    const field: FieldInfo = {
      kind: 'unreadable',
      name: 'a',
      problem: problem('npy-unsupported', 'pickled'),
    };
    expect(await bind([field], [floats('a')])).toEqual({ ok: false, error: field.problem });
    expect(await bind([], [floats('a')], { inputs: { a: { value: [1, 2, 3] } } })).toMatchObject({
      ok: false,
      error: { kind: 'shape-mismatch', place: { tensor: 'a' } },
    });
  });
});

describe('an input whose data has names of its own', () => {
  const named = { namesInputs: true };

  it('is not fed by an array of another name, which the hint suggests to rename', async () => {
    expect(await bind([numbers('image')], [floats('x')], {}, named)).toMatchObject({
      ok: false,
      error: {
        kind: 'input-missing',
        place: { file: 'data', tensor: 'eval/x' },
        hint: "if 'eval/image' is what the model takes, save it as 'eval/x'",
      },
    });
  });

  it('may be a state of a recurrent model, as the hint says', async () => {
    const outputs = { ...named, modelOutputs: [floats('stateN')] };
    expect(await bind([numbers('x')], [floats('x'), floats('state')], {}, outputs)).toMatchObject({
      ok: false,
      error: { hint: expect.stringContaining('--state stateN=state') },
    });
  });

  it('is mapped to an array where the others are', async () => {
    expect(
      await bind([numbers('y')], [floats('x')], { arrays: { eval: { y: 'y_test' } } }, named),
    ).toMatchObject({
      ok: false,
      error: { hint: 'name its array under data.arrays: { x: ARRAY }' },
    });
  });

  it('is missing where `from` names no array', async () => {
    expect(await bind([numbers('x')], [floats('x')], { inputs: { x: { from: 'z' } } }, named)).toMatchObject({
      ok: false,
      error: { kind: 'input-missing', place: { tensor: 'z' } },
    });
  });
});

describe('`preprocess`', () => {
  it('is for the one input that `inputs` does not describe', async () => {
    const spec = { preprocess: { scale: 2 }, inputs: { b: { value: [1, 2] } } };
    const [a, b] = unwrap(await bind([numbers('a')], [floats('a'), floats('b')], spec));
    const value = {
      kind: 'tensor',
      tensor: { type: 'float32', dims: [2], data: Float32Array.of(1, 3) },
    } as const;
    expect(unwrap((await a?.prepare(value, {})) as never)).toMatchObject({
      tensor: { data: Float32Array.of(2, 6) },
    });
    expect(unwrap((await b?.prepare(undefined, {})) as never)).toMatchObject({
      tensor: { data: Float32Array.of(1, 2) },
    });
  });

  it.each<[string, Partial<DataSpec>, string]>([
    ['several inputs are left', { preprocess: { scale: 2 } }, "takes 'a', 'b'"],
    [
      'no input is left',
      { preprocess: { scale: 2 }, inputs: { a: {}, b: {} } },
      'an own description of every input',
    ],
    [
      'no input is left for a text',
      { preprocess: { tokenize: TOKENIZE }, inputs: { a: {}, b: {} } },
      'every input',
    ],
  ])('is refused where %s', async (_case, spec, message) => {
    expect(await bind([numbers('a'), numbers('b')], [floats('a'), floats('b')], spec)).toMatchObject({
      ok: false,
      error: {
        kind: 'preprocess-invalid',
        message: expect.stringContaining(message),
        place: { file: 'data', field: '/preprocess' },
      },
    });
  });

  it('may describe recordings, which are cut before they are fields', async () => {
    const preprocess = { audio: { sampleRate: 16_000 } };
    expect(
      await boundFields([numbers('a'), numbers('b')], [floats('a'), floats('b')], { preprocess }),
    ).toEqual({
      a: 'a',
      b: 'b',
    });
  });
});

describe('one text', () => {
  const BERT = ['input_ids', 'attention_mask', 'token_type_ids'].map(integers);

  it('feeds ids, mask and types, of one encoding', async () => {
    const bindings = unwrap(await bind([TEXT], BERT, { preprocess: { tokenize: TOKENIZE } }));
    expect(bindings.map(({ fed, field }) => [fed.name, fed.dims, field])).toEqual([
      ['input_ids', [1, 8], 'text'],
      ['attention_mask', [1, 8], 'text'],
      ['token_type_ids', [1, 8], 'text'],
    ]);
    const fed = await Promise.all(bindings.map((binding) => binding.prepare(textValue('the'), {})));
    const [ids, mask, types] = fed.map((prepared) => unwrap(prepared).tensor.data);
    expect(Array.from(mask as BigInt64Array)).toEqual(
      Array.from(ids as BigInt64Array, (id) => (id === 0n ? 0n : 1n)),
    );
    expect(types).toEqual(new BigInt64Array(8));
  });

  it('stands beside numbers, which `tokenize` leaves alone', async () => {
    const fields = [TEXT, numbers('prior')];
    const spec = { preprocess: { tokenize: TOKENIZE } };
    expect(await boundFields(fields, [integers('input_ids'), floats('prior')], spec)).toEqual({
      input_ids: 'text',
      prior: 'prior',
    });
  });

  it('must be told from another text by name', async () => {
    const spec = { preprocess: { tokenize: TOKENIZE } };
    expect(await bind([TEXT, { ...TEXT, name: 'title' }], BERT, spec)).toMatchObject({
      ok: false,
      error: { kind: 'input-missing', place: { tensor: 'input_ids' } },
    });
  });

  it.each<[FieldInfo, string]>([
    [numbers('x'), 'which is numbers'],
    [{ ...IMAGE, name: 'x' }, 'which is a picture'],
  ])('is not what a tokenizer is given in %j', async (field, message) => {
    for (const spec of [{ inputs: { x: { tokenize: TOKENIZE } } }, { preprocess: { tokenize: TOKENIZE } }]) {
      expect(await bind([field], [floats('x')], spec)).toMatchObject({
        ok: false,
        error: {
          kind: 'preprocess-invalid',
          message: expect.stringContaining(message),
          place: { tensor: 'x' },
        },
      });
    }
    const beside = { inputs: { x: { tokenize: TOKENIZE } } };
    expect(await bind([field, TEXT], [floats('x')], beside)).toMatchObject({
      error: { kind: 'preprocess-invalid' },
    });
  });
});

describe('arrays', () => {
  const bytes: FieldInfo = { kind: 'tensor', name: 'x', type: 'uint8', dims: [4, 4] };

  it('are pictures where an image step is described, and numbers otherwise', async () => {
    const gray = { preprocess: { image: { channels: 'gray' } } } as const;
    const [picture] = unwrap(await bind([bytes], [floats('x', ['n', 1, 4, 4])], gray));
    expect(picture?.fed.dims).toEqual([1, 1, 4, 4]);
    const [plain] = unwrap(await bind([bytes], [floats('x', ['n', 4, 4])]));
    expect(plain?.fed.dims).toEqual([1, 4, 4]);
  });

  it('that are no pictures have no mean by channel', async () => {
    expect(
      await bind([bytes], [floats('x', ['n', 4, 4])], { preprocess: { mean: [1, 2, 3] } }),
    ).toMatchObject({
      ok: false,
      error: { kind: 'preprocess-invalid', message: expect.stringContaining('no channels') },
    });
  });
});

describe('neededFields', () => {
  const modelInputs = [floats('a'), floats('b'), floats('c')];

  it('are those of the inputs, or those that `from` names, without constants', () => {
    const spec: DataSpec = { path: 'data', inputs: { a: { value: 1 }, b: { from: 'z' } } };
    expect(neededFields({ spec, modelInputs })).toEqual(['z', 'c']);
    expect(
      neededFields({ spec: { path: 'data', preprocess: { from: 'z' } }, modelInputs: [floats('a')] }),
    ).toEqual(['z']);
  });

  it('are whatever there is where a module makes the inputs', () => {
    expect(neededFields({ spec: { path: 'data', module: 'mine.mjs' }, modelInputs })).toBeUndefined();
  });
});
