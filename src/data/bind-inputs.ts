import type { DataSpec, InputSpec } from '../core/data-spec.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { bindTensor } from './bind-tensor.ts';
import type { OpenTokenizer } from './bind-text.ts';
import type { InputBinding } from './input-binding.ts';
import type { FieldInfo, ItemCollection } from './item-collection.ts';
import { pairedOutput } from './paired-output.ts';
import { quoteNames } from './quote-names.ts';
import type { ModelInput } from './sample-source.ts';

export interface BindingRequest {
  readonly spec: DataSpec;
  /** How the split is named in hints. */
  readonly split: string;
  readonly modelInputs: readonly ModelInput[];
  /** Only for the hint that an input without data may be a state of a recurrent model. */
  readonly modelOutputs?: readonly ModelInput[];
}

/**
 * Matches the fields of a collection with the inputs of a model, and checks element types and dimensions where they are
 * known. Nothing is guessed: a field of another name is named in the hint and not used, unless the collection has but
 * one, which nobody named, and the model needs but one.
 */
export async function bindInputs(
  collection: ItemCollection,
  request: BindingRequest,
): Promise<Result<readonly InputBinding[], Problem>> {
  const { modelInputs } = request;
  const unknown = Object.keys(request.spec.inputs ?? {}).find(
    (name) => !modelInputs.some((input) => input.name === name),
  );
  if (unknown !== undefined) return err(unknownInput(collection, unknown, modelInputs));
  const idle = idlePreprocess(collection, request);
  if (idle !== undefined) return err(idle);
  const bindings: InputBinding[] = [];
  const bindText = textBinder(collection.path);
  for (const input of modelInputs) {
    const bound = await bindInput(collection, input, request, bindText);
    if (!bound.ok) return bound;
    bindings.push(bound.value);
  }
  return ok(bindings);
}

/**
 * The names of the fields that inputs of a model will be made of, as far as that can be told before a collection is open:
 * undefined, which is all of them, where a module of the user's own takes what it likes.
 */
export function neededFields({
  spec,
  modelInputs,
}: Pick<BindingRequest, 'spec' | 'modelInputs'>): readonly string[] | undefined {
  if (spec.module !== undefined) return undefined;
  return modelInputs.flatMap((input) => {
    const own = inputSpecOf(spec, input, modelInputs);
    if (own?.value !== undefined) return [];
    return [own?.from ?? input.name];
  });
}

async function bindInput(
  collection: ItemCollection,
  input: ModelInput,
  request: BindingRequest,
  bindText: BindText,
): Promise<Result<InputBinding, Problem>> {
  const { spec, modelInputs } = request;
  const own = inputSpecOf(spec, input, modelInputs);
  if (own?.value !== undefined) {
    return (await import('./bind-constant.ts')).bindConstant(input, own.value, collection.path);
  }
  const field = fieldFor(collection, input, own, modelInputs, spec);
  if (field === undefined) return err(missingField(collection, input, own, request));
  if (field.kind === 'unreadable') return err(field.problem);
  if (field.kind === 'text') return bindText(input, field, own);
  const isForTexts = own === spec.preprocess && collection.fields.some(({ kind }) => kind === 'text');
  if (own?.tokenize !== undefined && !isForTexts) return err(notText(collection, input, field));
  if (field.kind === 'tensor' && own?.image === undefined) {
    return bindTensor(input, field, own ?? {}, collection.path);
  }
  // Decoders are loaded when they are needed.
  return (await import('./bind-image.ts')).bindImage(input, field, own ?? {}, collection.path);
}

type BindText = (
  input: ModelInput,
  field: FieldInfo,
  own: InputSpec | undefined,
) => Promise<Result<InputBinding, Problem>>;

/** Binds text, with one tokenizer for all inputs that are made of it. It is loaded when it is needed. */
function textBinder(file: string): BindText {
  let open: OpenTokenizer | undefined;
  return async (input, field, spec) => {
    const { bindText, shareTokenizers } = await import('./bind-text.ts');
    open ??= shareTokenizers();
    return bindText(input, field, { spec, file, open });
  };
}

/** What the data says of an input: its own description, or that for the one input without any. */
export function inputSpecOf(
  { inputs = {}, preprocess }: DataSpec,
  input: ModelInput,
  modelInputs: readonly ModelInput[],
): InputSpec | undefined {
  const own = Object.hasOwn(inputs, input.name) ? inputs[input.name] : undefined;
  if (own !== undefined || preprocess === undefined) return own;
  // One text feeds ids, mask and types; anything else feeds the one input that has no description of its own.
  const others = modelInputs.filter(({ name }) => !Object.hasOwn(inputs, name));
  return others.length === 1 || preprocess.tokenize !== undefined ? preprocess : undefined;
}

/** A `preprocess` that would be used for nothing, as it is for one input and the model has none or several left. */
function idlePreprocess(
  { path }: ItemCollection,
  { spec: { preprocess = {}, inputs = {} }, modelInputs }: BindingRequest,
): Problem | undefined {
  // Recordings are resampled and cut before they are fields, so that this step alone is never in vain.
  const { audio: _, tokenize, ...steps } = preprocess;
  const others = modelInputs.filter(({ name }) => !Object.hasOwn(inputs, name)).map(({ name }) => name);
  const isUsed = others.length === 1 || (tokenize !== undefined && others.length > 0);
  if (isUsed || (tokenize === undefined && Object.keys(steps).length === 0)) return undefined;
  const left = others.length === 0 ? 'has an own description of every input' : `takes ${quoteNames(others)}`;
  return problem('preprocess-invalid', `\`preprocess\` is for one input, but the model ${left}`, {
    place: { file: path, field: '/preprocess' },
    hint: 'describe each input under data.inputs',
  });
}

function fieldFor(
  { fields, namesInputs }: ItemCollection,
  input: ModelInput,
  own: InputSpec | undefined,
  modelInputs: readonly ModelInput[],
  { inputs = {} }: DataSpec,
): FieldInfo | undefined {
  if (own?.from !== undefined) return fields.find(({ name }) => name === own.from);
  const named = fields.find(({ name }) => name === input.name);
  if (named !== undefined || namesInputs === true) return named;
  if (own?.tokenize !== undefined) return only(fields.filter(({ kind }) => kind === 'text'));
  const needing = modelInputs.filter(({ name }) => inputs[name]?.value === undefined);
  return needing.length === 1 ? only(fields) : undefined;
}

function only<T>(list: readonly T[]): T | undefined {
  return list.length === 1 ? list[0] : undefined;
}

function missingField(
  collection: ItemCollection,
  input: ModelInput,
  own: InputSpec | undefined,
  { spec, split, modelInputs, modelOutputs = [] }: BindingRequest,
): Problem {
  const names = collection.fields.map(({ name }) => name);
  const needs = `the model needs ${quoteNames(modelInputs.map(({ name }) => name))}`;
  if (own?.from !== undefined || collection.namesInputs !== true) {
    const wanted = own?.from ?? input.name;
    return problem(
      'input-missing',
      `the data has no field '${wanted}' for the model's input '${input.name}'; it has ${quoteNames(names)}, ${needs}`,
      {
        place: { file: collection.path, tensor: wanted },
        hint: `say under data.inputs which field feeds it: { ${input.name}: { from: ${names[0] ?? 'FIELD'} } }`,
      },
    );
  }
  const state = pairedOutput(input, modelOutputs);
  const others = names.filter((name) => name !== 'labels');
  const isMapped = spec.arrays !== undefined;
  const alone = modelInputs.length === 1 && !isMapped ? only(others) : undefined;
  const save = isMapped
    ? `name its array under data.arrays: { ${input.name}: ARRAY }`
    : `save the array as '${split}/${input.name}'`;
  return problem(
    'input-missing',
    `the split '${split}' has no array for the model's input '${input.name}'; it has ${quoteNames(names)}, ${needs}`,
    {
      place: { file: collection.path, tensor: `${split}/${input.name}` },
      hint:
        state !== undefined
          ? `if it is a state that the model gives back as '${state.name}', add --state ${state.name}=${input.name}` +
            ` (in a profile: data.states); otherwise ${save}`
          : alone === undefined
            ? save
            : `if '${split}/${alone}' is what the model takes, save it as '${split}/${input.name}'`,
    },
  );
}

function notText({ path }: ItemCollection, input: ModelInput, { name, kind }: FieldInfo): Problem {
  const what = kind === 'image' ? 'a picture' : 'numbers';
  return problem(
    'preprocess-invalid',
    `\`tokenize\` is for texts, but the input '${input.name}' is fed '${name}', which is ${what}`,
    { place: { file: path, tensor: input.name }, hint: 'leave it out, or name a text by `from`' },
  );
}

function unknownInput({ path }: ItemCollection, name: string, modelInputs: readonly ModelInput[]): Problem {
  return problem('input-unknown', `the data describes an input '${name}' that the model does not have`, {
    place: { file: path, tensor: name },
    hint: `its inputs are ${quoteNames(modelInputs.map((input) => input.name))}`,
  });
}
