import type { DataSpec } from '../../core/data-spec.ts';
import { encodeFloat16 } from '../../core/float16.ts';
import { ok, type Result } from '../../core/result.ts';
import { type ElementType, elementCount, type NumericArray } from '../../core/tensor.ts';
import { allocateElements } from '../convert-elements.ts';
import type { FieldInfo, ItemCollection } from '../item-collection.ts';
import { isFreeDim, type ModelInput, type SampleProblem } from '../sample-source.ts';

const ITEMS = 32;

/**
 * Made-up items for a model, to measure its speed with: floats spread over −1 to 1, zeros for integers (an index of 0 is
 * the one that most often exists). Free dimensions are 1 unless `dims` of the input says otherwise. The same every time.
 */
export function createRandomCollection(
  modelInputs: readonly ModelInput[],
  { inputs = {}, preprocess }: Pick<DataSpec, 'inputs' | 'preprocess'>,
): ItemCollection {
  const fields = modelInputs
    .filter(({ name }) => inputs[name]?.value === undefined)
    .map(({ name, type, dims = [] }) => {
      const wanted = inputs[name]?.dims ?? (modelInputs.length === 1 ? preprocess?.dims : undefined);
      return { kind: 'tensor', name, type, dims: wanted ?? rowDims(dims) } as const;
    });
  return {
    path: 'random',
    count: ITEMS,
    fields: fields satisfies readonly FieldInfo[],
    unused: [],
    describe: (index) => ({ id: `random/${index}` }),
    contentKey: async (index): Promise<Result<string, SampleProblem>> => ok(String(index)),
    read: async (index) =>
      ok({
        fields: Object.fromEntries(
          fields.map(({ name, type, dims }, at) => [
            name,
            { kind: 'tensor', tensor: { type, dims, data: fill(type, elementCount(dims), index * 31 + at) } },
          ]),
        ),
      }),
    close: async () => {},
  };
}

/** Without the leading axis, which a fed sample gets as 1 where it is there. */
function rowDims(dims: readonly (number | string)[]): readonly number[] {
  const [batch] = dims;
  const hasBatch = dims.length > 1 && batch !== undefined && (isFreeDim(batch) || batch === 1);
  return (hasBatch ? dims.slice(1) : dims).map((dim) => (isFreeDim(dim) ? 1 : Number(dim)));
}

/** Multiples of the golden ratio, taken modulo 1, fill an interval evenly; the seed moves where they start. */
function fill(type: ElementType, count: number, seed: number): NumericArray {
  const data = allocateElements(type, count);
  const isHalf = type === 'float16';
  if (!isHalf && type !== 'float32' && type !== 'float64') return data;
  for (let i = 0; i < count; i += 1) {
    const value = 2 * (((i + 1) * 0.6180339887498949 + seed * 0.7548776662466927) % 1) - 1;
    data[i] = isHalf ? encodeFloat16(value) : value;
  }
  return data;
}
