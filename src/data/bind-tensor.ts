import type { InputSpec } from '../core/data-spec.ts';
import { decodeFloat16 } from '../core/float16.ts';
import { type Problem, type ProblemPlace, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { elementCount, type NumericArray, type Tensor } from '../core/tensor.ts';
import { convertElements, isConvertible } from './convert-elements.ts';
import { fedDims, formatDims } from './fed-dims.ts';
import type { InputBinding, PreparedInput } from './input-binding.ts';
import type { FieldInfo, FieldValue } from './item-collection.ts';
import { isFreeDim, type ModelInput } from './sample-source.ts';

type TensorField = FieldInfo & { readonly kind: 'tensor' };

/**
 * Feeds numbers as they are, or after scale, mean, std and reshaping. Types are converted where nothing is lost.
 * Errors: `preprocess-invalid` for settings that no number can be computed with; `dtype-mismatch`; `shape-mismatch`.
 */
export function bindTensor(
  input: ModelInput,
  field: TensorField,
  spec: InputSpec,
  file: string,
): Result<InputBinding, Problem> {
  const name = field.place ?? field.name;
  const place = { file, tensor: name };
  const affine = affineOf(spec, place);
  if (!affine.ok) return affine;
  const isComputed = affine.value !== undefined && field.type !== 'string';
  if (!isConvertible(isComputed ? 'float32' : field.type, input.type)) {
    return err(typeMismatch(field.type, isComputed, input, place));
  }
  const row = field.dims === undefined ? spec.dims : shapeOf(spec, field.dims);
  if (field.dims !== undefined && row === undefined) {
    const message = `an item has the dimensions [${field.dims}], which do not become [${spec.dims}]`;
    return err(problem('shape-mismatch', message, { place, hint: 'correct `dims` under data.inputs' }));
  }
  const dims = row === undefined ? undefined : fedDims(row, input.dims);
  if (row !== undefined && dims === undefined) return err(shapeMismatch(row, input, place));
  return ok({
    fed: { name: input.name, type: input.type, dims },
    field: field.name,
    prepare: async (value, at) =>
      prepare(input, (value as FieldValue & { kind: 'tensor' }).tensor, spec, affine.value, {
        ...at,
        tensor: name,
      }),
  });
}

/** Dimensions of an item as they are fed; undefined where its elements do not fill those that are wanted. */
function shapeOf({ dims }: InputSpec, found: readonly number[]): readonly number[] | undefined {
  if (dims === undefined) return found;
  return elementCount(dims) === elementCount(found) ? dims : undefined;
}

interface Affine {
  readonly scale: number;
  readonly mean: number;
  readonly std: number;
}

function affineOf(
  { scale = 1, mean = 0, std = 1 }: InputSpec,
  place: ProblemPlace,
): Result<Affine | undefined, Problem> {
  const invalid = (message: string, hint: string) =>
    err(problem('preprocess-invalid', message, { place, hint }));
  if (typeof mean !== 'number' || typeof std !== 'number') {
    return invalid(
      'mean and std are given by channel, but the data has no channels',
      'give one number, or say by resize, crop, channels or layout that the arrays are pictures',
    );
  }
  for (const [name, value] of Object.entries({ scale, mean, std })) {
    const hint = `correct \`${name}\`, or leave it out`;
    // Computed is in float32, in which a tiny number is 0 and a huge one infinite.
    const used = Math.fround(value);
    if (!Number.isFinite(used)) return invalid(`${name} is ${value}, which float32 cannot hold`, hint);
    if (used === 0 && name !== 'mean') return invalid(`${name} is ${value}, so nothing is left`, hint);
  }
  return ok(scale === 1 && mean === 0 && std === 1 ? undefined : { scale, mean, std });
}

function prepare(
  input: ModelInput,
  tensor: Tensor,
  spec: InputSpec,
  affine: Affine | undefined,
  place: ProblemPlace,
): Result<PreparedInput, Problem> {
  const row = shapeOf(spec, tensor.dims);
  const dims = row === undefined ? undefined : fedDims(row, input.dims);
  if (dims === undefined) return err(shapeMismatch(tensor.dims, input, place));
  const data = tensor.data as NumericArray;
  if (affine === undefined) {
    const converted = convertElements(data, tensor.type, input.type);
    if (converted.ok) return ok({ tensor: { type: input.type, dims, data: converted.value } });
    const { index, value } = converted.error;
    const message = `element ${index} is ${value} (${tensor.type}), which ${input.type} cannot hold`;
    const hint = `scale or cast the array to ${input.type} when saving it`;
    return err(problem('value-unrepresentable', message, { place, hint }));
  }
  const computed = applyAffine(tensor.type, data, affine);
  const converted = computed.ok ? convertElements(computed.value, 'float32', input.type) : computed;
  if (converted.ok) return ok({ tensor: { type: input.type, dims, data: converted.value } });
  const { index, value } = converted.error;
  const message = `element ${index} becomes ${value} by scale, mean and std, which ${input.type} cannot hold`;
  return err(
    problem('value-unrepresentable', message, { place, hint: 'correct scale, mean and std, or the data' }),
  );
}

/**
 * (x · scale − mean) / std, x first and then the result of each step rounded to float32, as array libraries do it. `scale`
 * itself keeps its 53 bits, so that x · (1/255) comes out as the float32 quotient x / 255, as it does for pictures. The first
 * element that was finite and no longer is one is the error.
 */
function applyAffine(
  type: Tensor['type'],
  data: NumericArray,
  { scale, mean, std }: Affine,
): Result<Float32Array, { readonly index: number; readonly value: string }> {
  const result = new Float32Array(data.length);
  const [m, d] = [Math.fround(mean), Math.fround(std)];
  const isHalf = type === 'float16';
  for (let i = 0; i < data.length; i += 1) {
    const x = isHalf ? decodeFloat16(data[i] as number) : Number(data[i]);
    const y = Math.fround(Math.fround(Math.fround(Math.fround(x) * scale) - m) / d);
    if (!Number.isFinite(y) && Number.isFinite(x)) return err({ index: i, value: String(y) });
    result[i] = y;
  }
  return ok(result);
}

function typeMismatch(type: string, isComputed: boolean, input: ModelInput, place: ProblemPlace): Problem {
  if (isComputed) {
    const message = `scale, mean and std make the array float32, the model's input '${input.name}' is ${input.type}`;
    return problem('dtype-mismatch', message, { place, hint: 'leave them out; rounding is never guessed' });
  }
  return problem(
    'dtype-mismatch',
    `the array is ${type}, the model's input '${input.name}' is ${input.type}`,
    {
      place,
      hint: `save it as the model wants it: \`array.astype(np.${numpyName(input.type)})\`; rounding is never guessed`,
    },
  );
}

function shapeMismatch(row: readonly number[], input: ModelInput, place: ProblemPlace): Problem {
  return problem(
    'shape-mismatch',
    `the data is [${row}] for each item, the model's input '${input.name}' is [${formatDims(input.dims)}]`,
    { place, hint: shapeHint(row, input.dims) },
  );
}

function shapeHint(row: readonly number[], modelDims: ModelInput['dims'] = []): string {
  const batch = modelDims[0];
  const wantsBatch = typeof batch === 'number' && batch > 1 && modelDims.length === row.length + 1;
  if (wantsBatch) {
    return `the model takes ${batch} samples at a time; export it with a batch of 1 or a free batch dimension`;
  }
  const wanted = modelDims.map((dim) => (isFreeDim(dim) ? 'any' : dim));
  return `axis 0 counts the samples; expected [samples, ${wanted.slice(1).join(', ')}] or [samples, ${wanted.join(', ')}]`;
}

function numpyName(type: string): string {
  return type === 'bool' ? 'bool_' : type;
}
