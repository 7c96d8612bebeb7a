import { ProblemError, type ProblemPlace, problem } from '../../core/problem.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { FieldInfo, FieldValue } from '../item-collection.ts';
import { flattenNested, measureNested, nameOf } from '../labels/nested-numbers.ts';
import type { JsonObject } from './scan-lines.ts';

/** What has been seen of one field in the lines so far. */
export interface FieldTally {
  readonly name: string;
  readonly kind: 'tensor' | 'text';
  /** Undefined once two lines differ. */
  dims: readonly number[] | undefined;
  whole: boolean;
  /** The first line with a number that is too large for an exact integer, and for a float32. */
  inexactLine: number | undefined;
  infiniteLine: number | undefined;
}

// Numbers from here on round to infinity.
const FLOAT32_LIMIT = 2 ** 128 - 2 ** 103;

/**
 * A field of the first line, or undefined for a value that is no field: null, a boolean, an object, an array without
 * numbers.
 */
export function startField(name: string, value: unknown): FieldTally | undefined {
  if (typeof value !== 'string' && typeof value !== 'number' && !mayHoldNumbers(value)) return undefined;
  return {
    name,
    kind: typeof value === 'string' ? 'text' : 'tensor',
    dims: undefined,
    whole: true,
    inexactLine: undefined,
    infiniteLine: undefined,
  };
}

function mayHoldNumbers(value: unknown): boolean {
  if (!Array.isArray(value)) return typeof value === 'number';
  return value.length === 0 || value.some(mayHoldNumbers);
}

/** Takes one more line into account. Throws a `ProblemError` of the kind `item-invalid`. */
export function tallyField(
  field: FieldTally,
  object: JsonObject,
  place: ProblemPlace & { readonly line: number },
  isFirst: boolean,
): void {
  const value = fieldOf(object, field.name, place);
  if (field.kind === 'text') {
    checkText(value, field.name, place);
    return;
  }
  const { dims, whole, largest } = measure(value, field.name, place);
  if (isFirst) field.dims = dims;
  else if (field.dims !== undefined && !equalDims(field.dims, dims)) field.dims = undefined;
  field.whole &&= whole;
  if (largest > Number.MAX_SAFE_INTEGER) field.inexactLine ??= place.line;
  if (largest >= FLOAT32_LIMIT) field.infiniteLine ??= place.line;
}

/**
 * The field as all lines have it: int64 where every number of every line is whole, float32 otherwise. Throws a
 * `ProblemError`.
 */
export function finishField(field: FieldTally, file: string): FieldInfo {
  const { name, kind, dims, whole, inexactLine, infiniteLine } = field;
  if (kind === 'text') return { kind, name };
  const line = whole ? inexactLine : infiniteLine;
  if (line !== undefined) {
    const limit = whole
      ? 'a whole number above 2^53, which JSON does not keep exactly'
      : 'a number too large for float32';
    throw new ProblemError(
      problem('value-unrepresentable', `'${name}' holds ${limit}`, {
        place: { file, line },
        hint: 'scale the values down, or save them in an .npz file with the type that the model takes',
      }),
    );
  }
  return { kind, name, type: whole ? 'int64' : 'float32', dims };
}

/** The field's value in one line. Throws a `ProblemError` of the kind `item-invalid`. */
export function readField(info: FieldInfo, object: JsonObject, place: ProblemPlace): FieldValue {
  const value = fieldOf(object, info.name, place);
  if (info.kind !== 'tensor') {
    checkText(value, info.name, place);
    return { kind: 'text', text: value };
  }
  const { dims } = measure(value, info.name, place);
  return { kind: 'tensor', tensor: createTensor(info.type === 'int64', dims, flattenNested(value, dims)) };
}

function createTensor(whole: boolean, dims: readonly number[], values: Float64Array): Tensor {
  if (!whole) return { type: 'float32', dims, data: new Float32Array(values) };
  const data = new BigInt64Array(values.length);
  for (let i = 0; i < values.length; i += 1) data[i] = BigInt(values[i] as number);
  return { type: 'int64', dims, data };
}

function fieldOf(object: JsonObject, name: string, place: ProblemPlace): unknown {
  if (Object.hasOwn(object, name)) return object[name];
  throw invalidItem(
    `the line has no '${name}', which the first line has`,
    place,
    'give every line the same keys',
  );
}

function checkText(value: unknown, name: string, place: ProblemPlace): asserts value is string {
  if (typeof value === 'string') return;
  throw invalidItem(
    `'${name}' is ${nameOf(value)}, but in the first line a text`,
    place,
    'give the key the same kind of value in every line',
  );
}

function measure(value: unknown, name: string, place: ProblemPlace) {
  const measured = measureNested(value);
  if (measured.ok) return measured.value;
  throw invalidItem(
    `'${name}' cannot be read as numbers: ${measured.error}`,
    place,
    'write a number, or an array of numbers whose rows have one length; pad what is shorter',
  );
}

function equalDims(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

/** The problem of an item that cannot be read. */
export function invalidItem(
  message: string,
  place: ProblemPlace,
  hint: string,
): ProblemError<'item-invalid'> {
  return new ProblemError(problem('item-invalid', message, { place, hint }));
}
