import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { type ElementType, elementCount, type NumericArray } from '../core/tensor.ts';
import { convertElements, isConvertible } from './convert-elements.ts';
import { formatDims } from './fed-dims.ts';
import type { InputBinding } from './input-binding.ts';
import { isFreeDim, type ModelInput } from './sample-source.ts';

/**
 * An input that is fed the same numbers with every sample, such as a sample rate. A free dimension takes what is left.
 * Floats round to the nearest value of the input's type; integers are kept exactly.
 * Errors: `shape-mismatch`; `value-unrepresentable`.
 */
export function bindConstant(
  input: ModelInput,
  value: number | readonly number[],
  file: string,
): Result<InputBinding, Problem> {
  const values = typeof value === 'number' ? [value] : value;
  const place = { file, tensor: input.name };
  const dims = dimsFor(values.length, input.dims ?? []);
  if (dims === undefined) {
    const count = values.length === 1 ? '1 number is' : `${values.length} numbers are`;
    return err(
      problem(
        'shape-mismatch',
        `${count} given for the input '${input.name}', which is [${formatDims(input.dims)}]`,
        { place, hint: 'give as many numbers as the input has elements' },
      ),
    );
  }
  const data = encode(values, input.type);
  if (data === undefined) {
    return err(
      problem(
        'value-unrepresentable',
        `the input '${input.name}' is ${input.type}, which cannot hold ${values.join(', ')}`,
        { place, hint: 'correct the value under data.inputs' },
      ),
    );
  }
  const tensor = { type: input.type, dims, data };
  return ok({
    fed: { name: input.name, type: input.type, dims },
    field: undefined,
    prepare: async () => ok({ tensor }),
  });
}

/** Undefined where the type cannot hold one of the values. */
function encode(values: readonly number[], type: ElementType): NumericArray | undefined {
  const from = isConvertible('float64', type) ? 'float64' : wholeType(values);
  if (from === undefined || !isConvertible(from, type)) return undefined;
  const data =
    from === 'float64'
      ? Float64Array.from(values)
      : new (from === 'int64' ? BigInt64Array : BigUint64Array)(values.map(BigInt));
  const converted = convertElements(data, from, type);
  return converted.ok ? converted.value : undefined;
}

/** The 64-bit type that holds all values; a typed array would take those beyond it modulo 2^64. */
function wholeType(values: readonly number[]): 'int64' | 'uint64' | undefined {
  if (!values.every(Number.isInteger)) return undefined;
  if (values.every((value) => value >= -(2 ** 63) && value < 2 ** 63)) return 'int64';
  return values.every((value) => value >= 0 && value < 2 ** 64) ? 'uint64' : undefined;
}

function dimsFor(count: number, modelDims: readonly (number | string)[]): readonly number[] | undefined {
  const fixed = elementCount(modelDims.filter((dim): dim is number => !isFreeDim(dim)));
  const free = modelDims.filter(isFreeDim).length;
  if (fixed === 0 || count % fixed > 0) return undefined;
  if (free === 0) return count === fixed ? (modelDims as readonly number[]) : undefined;
  // The last free axis takes all; those before it, a batch as a rule, are 1.
  let left = free;
  return modelDims.map((dim) => {
    if (!isFreeDim(dim)) return dim as number;
    left -= 1;
    return left === 0 ? count / fixed : 1;
  });
}
