import { describe, expect, it } from 'vitest';
import type { DataSpec } from '../../../../src/core/data-spec.ts';
import { decodeFloat16 } from '../../../../src/core/float16.ts';
import { type ElementType, elementCount, type Tensor } from '../../../../src/core/tensor.ts';
import { createRandomCollection } from '../../../../src/data/formats/random-collection.ts';
import type { ModelInput } from '../../../../src/data/sample-source.ts';
import { unwrap } from '../../../support/unwrap.ts';

const input = (dims?: ModelInput['dims'], type: ElementType = 'float32', name = 'x'): ModelInput =>
  dims === undefined ? { name, type } : { name, type, dims };

const dimsOf = (modelInput: ModelInput, spec: Partial<DataSpec> = {}) => {
  const [field] = createRandomCollection([modelInput], spec).fields;
  return field?.kind === 'tensor' ? field.dims : undefined;
};

async function tensorOf(modelInput: ModelInput, index: number): Promise<Tensor> {
  const item = unwrap(await createRandomCollection([modelInput], {}).read(index));
  const field = item.fields[modelInput.name];
  if (field?.kind !== 'tensor') throw new Error('no tensor');
  return field.tensor;
}

describe('made-up items', () => {
  it('are the same every time, and no two of them alike', async () => {
    const x = input(['n', 8]);
    const found = new Set<string>();
    for (let index = 0; index < 32; index += 1) {
      const tensor = await tensorOf(x, index);
      expect(tensor).toEqual(await tensorOf(x, index));
      found.add(String(tensor.data));
    }
    expect(found.size).toBe(32);
  });

  it('are 32, each with its own name and key', async () => {
    const collection = createRandomCollection([input(['n', 2])], {});
    expect(collection).toMatchObject({ path: 'random', count: 32, unused: [] });
    expect(collection.describe(31)).toEqual({ id: 'random/31' });
    expect(await collection.contentKey(1)).not.toEqual(await collection.contentKey(2));
  });

  it.each<ElementType>(['float16', 'float32', 'float64'])(
    'are spread evenly over −1 to 1 as %s',
    async (type) => {
      const { data } = await tensorOf(input(['n', 1000], type), 3);
      const values = Array.from(data as ArrayLike<number | bigint>, (x) =>
        type === 'float16' ? decodeFloat16(Number(x)) : Number(x),
      );
      for (let tenth = -10; tenth < 10; tenth += 1) {
        const count = values.filter((value) => value >= tenth / 10 && value < (tenth + 1) / 10).length;
        expect(count).toBeGreaterThan(40);
        expect(count).toBeLessThan(60);
      }
    },
  );

  it.each<ElementType>(['int64', 'uint8', 'bool'])(
    'are zeros as %s, an index that most often exists',
    async (type) => {
      const { data } = await tensorOf(input(['n', 3], type), 3);
      expect(Array.from(data as ArrayLike<number | bigint>, Number)).toEqual([0, 0, 0]);
    },
  );

  it('differ from input to input', async () => {
    const collection = createRandomCollection(
      [input(['n', 4], 'float32', 'a'), input(['n', 4], 'float32', 'b')],
      {},
    );
    const { a, b } = unwrap(await collection.read(0)).fields;
    expect(a).not.toEqual(b);
  });
});

describe('the dimensions of made-up items', () => {
  it.each<[string, ModelInput['dims'], number[]]>([
    ['leave out a free batch', ['n', 3, 4], [3, 4]],
    ['leave out a batch of 1', [1, 3], [3]],
    ['keep a larger batch', [4, 3], [4, 3]],
    ['keep the only axis', [5], [5]],
    ['are 1 where they are free', ['n', 'time', 3], [1, 3]],
    ['are 1 for the only free axis', ['n'], [1]],
    ['are none for a scalar', [], []],
    ['are none for an unknown rank', undefined, []],
  ])('%s', async (_case, dims, expected) => {
    expect(dimsOf(input(dims))).toEqual(expected);
    expect(await tensorOf(input(dims), 0)).toMatchObject({
      dims: expected,
      data: { length: elementCount(expected) },
    });
  });

  it('are those of the settings', () => {
    const x = input(['n', 'time', 3]);
    expect(dimsOf(x, { inputs: { x: { dims: [7, 3] } } })).toEqual([7, 3]);
    expect(dimsOf(x, { preprocess: { dims: [8, 3] } })).toEqual([8, 3]);
  });

  it('are none of an input that is fed a constant', () => {
    const { fields } = createRandomCollection([input(['n', 2]), input([], 'int64', 'sr')], {
      inputs: { sr: { value: 16000 } },
    });
    expect(fields.map(({ name }) => name)).toEqual(['x']);
  });
});
