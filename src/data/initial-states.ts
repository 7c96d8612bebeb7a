import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { elementCount, type NamedTensors, type Tensor } from '../core/tensor.ts';
import type { CarriedState } from './carried-state.ts';
import { allocateElements } from './convert-elements.ts';
import { isFreeDim, type ModelInput } from './sample-source.ts';

export type StateProblem = Problem<'state-invalid' | 'state-shape-unknown'>;

export interface StatefulModel {
  readonly states: readonly CarriedState[];
  readonly modelInputs: readonly ModelInput[];
  /** Checked where they are known. */
  readonly modelOutputs?: readonly ModelInput[];
  /** Dimensions of what is fed to the other inputs. A named dimension of a state has the size that it has there. */
  readonly fed: readonly { readonly name: string; readonly dims: readonly number[] }[];
}

/**
 * The zeros that a sequence starts with, by input.
 * Errors: `state-invalid` where the model has no such input or output, or the two do not fit; `state-shape-unknown`
 * where a dimension is free, is no batch (which is 1), and nothing tells its size.
 */
export function initialStates(model: StatefulModel): Result<NamedTensors, StateProblem> {
  const initial = new Map<string, Tensor>();
  for (const state of model.states) {
    const zeros = initialState(state, model);
    if (!zeros.ok) return zeros;
    if (initial.has(state.input)) {
      return err(invalid(state, `two states are fed to the input '${state.input}'`, 'keep one of them'));
    }
    initial.set(state.input, zeros.value);
  }
  return ok(Object.fromEntries(initial));
}

function initialState(state: CarriedState, model: StatefulModel): Result<Tensor, StateProblem> {
  const { modelInputs, modelOutputs } = model;
  const input = modelInputs.find(({ name }) => name === state.input);
  if (input === undefined) return err(unknownPort(state, 'input', modelInputs));
  const output = modelOutputs?.find(({ name }) => name === state.output);
  if (modelOutputs !== undefined && output === undefined) {
    return err(unknownPort(state, 'output', modelOutputs));
  }
  const { type } = input;
  if (type === 'string') return err(invalid(state, 'strings cannot be carried', 'leave this state out'));
  if (output !== undefined && output.type !== type) {
    const types = `the output is ${output.type} and the input is ${type}`;
    return err(invalid(state, types, 'a state keeps its type; check which output belongs to the input'));
  }
  const dims = state.dims === undefined ? inferredDims(state, input, output, model) : givenDims(state, input);
  if (!dims.ok) return dims;
  return ok({ type, dims: dims.value, data: allocateElements(type, elementCount(dims.value)) });
}

function givenDims(state: CarriedState, input: ModelInput): Result<readonly number[], StateProblem> {
  const { dims: given = [] } = state;
  const wanted = input.dims ?? [];
  const fits = wanted.length === given.length && wanted.every((dim, i) => isFreeDim(dim) || dim === given[i]);
  // ONNX Runtime reports no dimensions both for a scalar and for an unknown rank.
  if (fits || wanted.length === 0) return ok(given);
  const shapes = `the state is given as [${given}], the model's input '${state.input}' is [${wanted}]`;
  return err(invalid(state, shapes, 'correct the dimensions'));
}

function inferredDims(
  state: CarriedState,
  input: ModelInput,
  output: ModelInput | undefined,
  model: StatefulModel,
): Result<readonly number[], StateProblem> {
  const wanted = input.dims ?? [];
  const found: number[] = [];
  for (const [axis, dim] of wanted.entries()) {
    const ofOutput = output?.dims?.length === wanted.length ? output.dims[axis] : undefined;
    const size = fixed(dim) ?? sizeInFeeds(dim, model) ?? fixed(ofOutput) ?? batchSize(dim, wanted);
    if (size === undefined) return err(shapeUnknown(state, wanted, axis));
    found.push(size);
  }
  return ok(found);
}

function fixed(dim: number | string | undefined): number | undefined {
  return dim === undefined || isFreeDim(dim) ? undefined : Number(dim);
}

function sizeInFeeds(dim: number | string, { fed, modelInputs }: StatefulModel): number | undefined {
  if (isUnnamed(dim)) return undefined;
  for (const { name, dims } of fed) {
    const named = modelInputs.find((input) => input.name === name)?.dims ?? [];
    const axis = named.indexOf(dim);
    if (axis >= 0 && named.length === dims.length) return dims[axis];
  }
  return undefined;
}

/** Names that a batch has, and those that exporters make up for the one dimension that they know nothing of. */
const BATCH = /batch|^(n|b|bs|unk_.*)$/i;

function batchSize(dim: number | string, wanted: readonly (number | string)[]): number | undefined {
  const isOnlyUnnamed = isUnnamed(dim) && wanted.filter(isUnnamed).length === 1;
  return isOnlyUnnamed || BATCH.test(String(dim)) ? 1 : undefined;
}

function isUnnamed(dim: number | string): boolean {
  return dim === '' || (typeof dim === 'number' && dim < 0);
}

function unknownPort(
  state: CarriedState,
  side: 'input' | 'output',
  ports: readonly ModelInput[],
): StateProblem {
  const names = ports.map(({ name }) => `'${name}'`).join(', ');
  return problem(
    'state-invalid',
    `the model has no ${side} '${state[side]}', which the state ${written(state)} names`,
    {
      place: { tensor: state[side] },
      hint: `its ${side}s are ${names}; a state is written as OUTPUT=INPUT`,
    },
  );
}

function invalid(state: CarriedState, message: string, hint: string): StateProblem {
  const place = { tensor: state.input };
  return problem('state-invalid', `the state ${written(state)} cannot be carried: ${message}`, {
    place,
    hint,
  });
}

function shapeUnknown(state: CarriedState, wanted: readonly (number | string)[], axis: number): StateProblem {
  const sizes = wanted.map((dim) => fixed(dim) ?? 1).join('x');
  const dim = wanted[axis] ?? '';
  const named = isUnnamed(dim) ? `dimension ${axis}` : `the dimension '${dim}'`;
  return problem(
    'state-shape-unknown',
    `${named} of the state '${state.input}' is free, and nothing tells its size`,
    {
      place: { tensor: state.input },
      hint: `give the dimensions of one sample, such as --state ${written(state)}:${sizes}`,
    },
  );
}

function written({ output, input }: CarriedState): string {
  return `${output}=${input}`;
}
