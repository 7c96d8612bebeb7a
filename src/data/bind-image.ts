import type { InputSpec } from '../core/data-spec.ts';
import { attempt, type Problem, type ProblemPlace, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { type ElementType, elementCount, type Tensor } from '../core/tensor.ts';
import { convertElements, isConvertible } from './convert-elements.ts';
import { fedDims, formatDims } from './fed-dims.ts';
import { checkImageSpec } from './image/check-image-spec.ts';
import { createImageDecoder } from './image/decode-image.ts';
import type { PixelImage } from './image/pixel-image.ts';
import { pixelsOfTensor } from './image/pixels-of-tensor.ts';
import { preparedImageDims } from './image/prepared-image-dims.ts';
import { createImagePreparer } from './image/preprocess-image.ts';
import type { InputBinding } from './input-binding.ts';
import type { FieldInfo, FieldValue } from './item-collection.ts';
import type { ModelInput } from './sample-source.ts';

/**
 * Feeds a picture: decoded where it comes as a file, then resized, cropped, normalized and laid out as `spec` says.
 * Without scale, mean and std pixels are whole numbers, 0 to 255, that an input of integers can take as well.
 * Errors: `preprocess-invalid` for settings that fit no picture, and for arrays that are none; `dtype-mismatch`;
 * `shape-mismatch`, at opening where the dimensions are known; of a sample, what decoding finds, with the picture's file.
 */
export function bindImage(
  input: ModelInput,
  field: FieldInfo,
  spec: InputSpec,
  file: string,
): Result<InputBinding, Problem> {
  const place = { file, tensor: input.name };
  const checked = checkImageSpec(spec);
  if (!checked.ok) return err(placed(checked.error, place));
  const type = pixelType(spec, input);
  if (!isConvertible(type, input.type)) return err(typeMismatch(type, input, place));
  const source = field.kind === 'tensor' ? checkPixels(field) : ok(undefined);
  if (!source.ok) return err(placed(source.error, place));
  const row = preparedImageDims(spec, source.value);
  const dims = row === undefined ? undefined : fedShape(row, spec, input);
  if (row !== undefined && dims === undefined) return err(unfit(row, spec, input, place));
  const decodeImage = createImageDecoder(spec.image?.channels === 'gray' ? 'gray' : 'rgb');
  const prepareImage = createImagePreparer(spec);
  return ok({
    fed: { name: input.name, type: input.type, dims },
    field: field.name,
    prepare: async (value, at) => {
      const found = { ...at, tensor: input.name, ...fileOf(value) };
      const image = await pixelsOf(value as FieldValue, decodeImage);
      if (!image.ok) return err(placed(image.error, found));
      const prepared = attempt(() => prepareImage(image.value));
      if (!prepared.ok) return err(placed(prepared.error, found));
      const { tensor, geometry } = prepared.value;
      const fed = fedShape(tensor.dims, spec, input);
      if (fed === undefined) return err(unfit(tensor.dims, spec, input, found));
      const pixels = tensor.data as Float32Array;
      const data = convertElements(type === 'uint8' ? Uint8Array.from(pixels) : pixels, type, input.type);
      if (data.ok) return ok({ tensor: { type: input.type, dims: fed, data: data.value }, geometry });
      const message = `a pixel becomes ${data.error.value}, which ${input.type} cannot hold`;
      const hint = 'correct scale, mean and std';
      return err(problem('value-unrepresentable', message, { place: found, hint }));
    },
  });
}

/** What pixels are after all steps: bytes as long as nothing is computed with them. */
function pixelType({ scale, mean, std }: InputSpec, input: ModelInput): 'uint8' | 'float32' {
  const isComputed = scale !== undefined || mean !== undefined || std !== undefined;
  return isComputed || isConvertible('float32', input.type) ? 'float32' : 'uint8';
}

/** Dimensions of the arrays that are pictures; what is wrong with them where they cannot be. */
function checkPixels({
  type,
  dims,
}: FieldInfo & { readonly kind: 'tensor' }): Result<readonly number[] | undefined, Problem> {
  // An array without elements has whatever else pictures need, known before one is read.
  const tensor: Tensor = { type, dims: dims ?? [1, 1], data: new Uint8Array() };
  const image = pixelsOfTensor(tensor);
  return image.ok ? ok(dims) : image;
}

async function pixelsOf(
  value: FieldValue,
  decodeImage: ReturnType<typeof createImageDecoder>,
): Promise<Result<PixelImage, Problem>> {
  if (value.kind === 'image') return decodeImage(value.encoded);
  if (value.kind === 'tensor') return pixelsOfTensor(value.tensor);
  return err(problem('dtype-mismatch', 'a text is no picture', { hint: 'name another field by `from`' }));
}

/** A picture has a file of its own, unless it came as bytes. */
function fileOf(value: FieldValue | undefined): ProblemPlace {
  return value?.kind === 'image' && typeof value.encoded === 'string' ? { file: value.encoded } : {};
}

function fedShape(
  row: readonly number[],
  { dims = row }: InputSpec,
  input: ModelInput,
): readonly number[] | undefined {
  return elementCount(dims) === elementCount(row) ? fedDims(dims, input.dims) : undefined;
}

function placed(cause: Problem, place: ProblemPlace): Problem {
  return { ...cause, place: { ...place, ...cause.place } };
}

function typeMismatch(type: ElementType, input: ModelInput, place: ProblemPlace): Problem {
  return problem(
    'dtype-mismatch',
    `a picture becomes ${type}, the model's input '${input.name}' is ${input.type}`,
    {
      place,
      hint: 'leave out scale, mean and std, or feed this input by a module of your own (data.preprocess)',
    },
  );
}

function unfit(row: readonly number[], { dims }: InputSpec, input: ModelInput, place: ProblemPlace): Problem {
  const reshaped = dims === undefined ? '' : `, which \`dims\` makes [${dims}]`;
  return problem(
    'shape-mismatch',
    `a prepared picture is [${row}]${reshaped}, the model's input '${input.name}' is [${formatDims(input.dims)}]`,
    { place, hint: 'set resize, crop, channels and layout so that they agree with the model' },
  );
}
