import { pathToFileURL } from 'node:url';
import { type Problem, type ProblemPlace, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { type ElementType, elementCount, type NumericArray, type Tensor } from '../core/tensor.ts';
import { convertElements, isConvertible } from './convert-elements.ts';
import { fedDims, formatDims } from './fed-dims.ts';
import type { PrepareItem } from './input-binding.ts';
import type { Item } from './item-collection.ts';
import { quoteNames } from './quote-names.ts';
import type { ModelInput, SampleInput } from './sample-source.ts';

/** What a user's module exports. */
type OwnPreprocess = (item: unknown) => unknown;

/**
 * Preprocessing by a module of the user's own. It exports a function, by the name `preprocess`, which may be asynchronous:
 *
 *     export function preprocess({ index, id, fields }) {
 *       const { data, dims } = fields.pixels;            // or { text }, or { encoded } with the bytes or path of a picture
 *       return { input: { dims: [3, 224, 224], data: new Float32Array(3 * 224 * 224) } };
 *     }
 *
 * `index` is the sample's, `id` the item's name, `fields` are all that it holds. `dims` are those of one sample, with or
 * without a leading 1. The type of an array must fit the input's; half floats are given as numbers in a Float32Array. What
 * it throws is a problem of that sample.
 * Errors: `preprocess-module-invalid` where the module cannot be loaded or exports no such function; of a sample,
 * `preprocess-module-failed`.
 */
export async function bindOwnModule(
  path: string,
  modelInputs: readonly ModelInput[],
): Promise<Result<{ readonly fed: readonly SampleInput[]; readonly prepare: PrepareItem }, Problem>> {
  const loaded = await load(path);
  if (!loaded.ok) return loaded;
  const fed = modelInputs.map(({ name, type }) => ({ name, type, dims: undefined }));
  return ok({
    fed,
    prepare: (item, place, id) => prepareBy(loaded.value, path, modelInputs, { item, place, id }),
  });
}

async function load(path: string): Promise<Result<OwnPreprocess, Problem>> {
  const invalid = (message: string) =>
    err(
      problem('preprocess-module-invalid', message, {
        place: { file: path },
        hint: 'write an ES module (.mjs) that exports a function `preprocess`',
      }),
    );
  let exported: unknown;
  try {
    exported = ((await import(pathToFileURL(path).href)) as Record<string, unknown>)['preprocess'];
  } catch (error) {
    return invalid(`the module cannot be loaded: ${messageOf(error)}`);
  }
  return typeof exported === 'function'
    ? ok(exported as OwnPreprocess)
    : invalid('the module exports no function `preprocess`');
}

async function prepareBy(
  preprocess: OwnPreprocess,
  path: string,
  modelInputs: readonly ModelInput[],
  { item, place, id }: { readonly item: Item; readonly place: ProblemPlace; readonly id: string },
): ReturnType<PrepareItem> {
  const failed = (message: string, hint: string) =>
    err(problem('preprocess-module-failed', `${path}: ${message}`, { place, hint }));
  let made: unknown;
  try {
    made = await preprocess({ index: place.sample, id, fields: plainFields(item.fields) });
  } catch (error) {
    return failed(`preprocess threw: ${messageOf(error)}`, 'correct the module, or the sample');
  }
  if (typeof made !== 'object' || made === null)
    return failed('preprocess returned no object', 'return { <input>: { dims, data } }');
  const feeds: Record<string, Tensor> = {};
  for (const input of modelInputs) {
    const tensor = checkTensor((made as Record<string, unknown>)[input.name], input);
    if (!tensor.ok)
      return failed(`'${input.name}' ${tensor.error}`, `its keys are ${quoteNames(Object.keys(made))}`);
    feeds[input.name] = tensor.value;
  }
  return ok({ feeds });
}

function plainFields(fields: Item['fields']): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      if (value.kind === 'tensor') return [name, value.tensor];
      return [name, value.kind === 'text' ? { text: value.text } : { encoded: value.encoded }];
    }),
  );
}

const ARRAY_TYPES: Readonly<Record<string, ElementType>> = {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Int8Array: 'int8',
  Uint8Array: 'uint8',
  Int16Array: 'int16',
  Uint16Array: 'uint16',
  Int32Array: 'int32',
  Uint32Array: 'uint32',
  BigInt64Array: 'int64',
  BigUint64Array: 'uint64',
};

function checkTensor(value: unknown, input: ModelInput): Result<Tensor, string> {
  if (value === undefined) return err('is missing from what preprocess returned');
  const { dims, data } = (value ?? {}) as { readonly dims?: unknown; readonly data?: unknown };
  if (!Array.isArray(dims) || !dims.every((dim) => Number.isInteger(dim) && dim >= 0)) {
    return err('has no `dims`, a list of whole numbers');
  }
  const type = ARRAY_TYPES[(data as object | null | undefined)?.constructor?.name ?? ''];
  if (type === undefined) return err('has no `data`, a typed array');
  const elements = data as NumericArray;
  if (elements.length !== elementCount(dims))
    return err(`has ${elements.length} elements for the dimensions [${dims}]`);
  const fed = fedDims(dims, input.dims);
  if (fed === undefined) return err(`is [${dims}], the model's input is [${formatDims(input.dims)}]`);
  if (!isConvertible(type, input.type)) return err(`is ${type}, the model's input is ${input.type}`);
  const converted = convertElements(elements, type, input.type);
  return converted.ok
    ? ok({ type: input.type, dims: fed, data: converted.value })
    : err(`holds ${converted.error.value}, which ${input.type} cannot hold`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
