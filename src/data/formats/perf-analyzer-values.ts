import type { ProblemPlace } from '../../core/problem.ts';
import { type ElementType, elementCount, type NumericArray } from '../../core/tensor.ts';
import { allocateElements, convertElements } from '../convert-elements.ts';
import type { FieldValue } from '../item-collection.ts';
import { nameOf } from '../labels/nested-numbers.ts';
import { swapToHostOrder } from './array-rows.ts';
import { invalidItem } from './jsonl-fields.ts';
import type { FieldTarget } from './perf-analyzer-targets.ts';

const FLOATS: ReadonlySet<ElementType> = new Set(['float16', 'float32', 'float64']);
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const FORMS = 'write a flat list, {"content": list, "shape": dims} or {"b64": bytes}';

/** A value taken apart: its content as it stands in the file, and the shape beside it. */
interface Written {
  readonly content: readonly unknown[] | { readonly b64: string };
  readonly shape: readonly number[] | undefined;
}

/**
 * One value of an entry: numbers for the input that it feeds, or a text, which is a list of one. Numbers for no input
 * are float64. Throws a `ProblemError` of the kind `item-invalid`.
 */
export function readValue(value: unknown, target: FieldTarget | undefined, place: ProblemPlace): FieldValue {
  const { content, shape } = takeApart(value, place);
  const [first] = 'b64' in content ? [] : content;
  if (typeof first === 'string') {
    if (shapeCount(content, shape) === 1) return { kind: 'text', text: first };
    throw invalidItem(`it holds ${shapeCount(content, shape)} texts`, place, 'a sample has one text: ["…"]');
  }
  const type = target?.type ?? 'float64';
  if (type === 'string') {
    throw invalidItem(
      'it holds no text, but the input takes texts',
      place,
      'write a list of one text: ["…"]',
    );
  }
  const data =
    'b64' in content ? decodeBytes(content.b64, type, target, place) : readNumbers(content, type, place);
  return { kind: 'tensor', tensor: { type, dims: dimsOf(data.length, shape, target, place), data } };
}

/** Numbers that a model should answer, for comparing; their shape is that beside them, or flat. */
export function readExpected(
  value: unknown,
  place: ProblemPlace,
): { readonly dims: readonly number[]; readonly values: Float64Array } {
  const { content, shape } = takeApart(value, place);
  if ('b64' in content) {
    throw invalidItem(
      'it holds bytes, whose type is not known',
      place,
      'write expected outputs as lists of numbers',
    );
  }
  const values = readNumbers(content, 'float64', place) as Float64Array;
  return { dims: dimsOf(values.length, shape, undefined, place), values };
}

function shapeCount(content: Written['content'], shape: Written['shape']): number {
  return shape === undefined ? (content as readonly unknown[]).length : elementCount(shape);
}

function takeApart(value: unknown, place: ProblemPlace): Written {
  if (Array.isArray(value)) return { content: value, shape: undefined };
  if (typeof value !== 'object' || value === null) throw invalidItem(`it is ${nameOf(value)}`, place, FORMS);
  const { content, shape, b64 } = value as {
    readonly content?: unknown;
    readonly shape?: unknown;
    readonly b64?: unknown;
  };
  const inner = b64 === undefined ? content : value;
  return { content: contentOf(inner, place), shape: shape === undefined ? undefined : shapeOf(shape, place) };
}

function contentOf(content: unknown, place: ProblemPlace): Written['content'] {
  if (Array.isArray(content)) return content;
  const b64 = typeof content === 'object' && content !== null && 'b64' in content ? content.b64 : undefined;
  if (typeof b64 === 'string') return { b64 };
  throw invalidItem(
    content === undefined ? "it has neither 'content' nor 'b64'" : `its content is ${nameOf(content)}`,
    place,
    FORMS,
  );
}

function shapeOf(shape: unknown, place: ProblemPlace): readonly number[] {
  const isShape = Array.isArray(shape) && shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0);
  if (isShape) return shape as readonly number[];
  throw invalidItem(
    `its shape is ${JSON.stringify(shape).slice(0, 40)}`,
    place,
    'give whole numbers: "shape": [2, 8]',
  );
}

function readNumbers(list: readonly unknown[], type: ElementType, place: ProblemPlace): NumericArray {
  const isFloat = FLOATS.has(type);
  const exact = isFloat ? new Float64Array(list.length) : new BigInt64Array(list.length);
  for (let index = 0; index < list.length; index += 1) {
    const element = list[index];
    const number = typeof element === 'boolean' ? Number(element) : element;
    const isFit = isFloat ? Number.isFinite(number) : Number.isSafeInteger(number);
    if (!isFit) throw unfit(index, element, type, place);
    exact[index] = isFloat ? (number as number) : BigInt(number as number);
  }
  const converted = convertElements(exact, isFloat ? 'float64' : 'int64', type);
  if (converted.ok) return converted.value;
  throw unfit(converted.error.index, list[converted.error.index], type, place);
}

function unfit(index: number, element: unknown, type: ElementType, place: ProblemPlace) {
  if (Array.isArray(element)) {
    const hint = 'write the numbers in one list, row by row, and the dimensions as "shape"';
    return invalidItem('it is a nested list', place, hint);
  }
  if (typeof element !== 'number' && typeof element !== 'boolean') {
    return invalidItem(`element ${index} is ${nameOf(element)}, not a number`, place, FORMS);
  }
  const message = `element ${index} is ${element}, which ${type} cannot hold`;
  return invalidItem(message, place, 'write what the type of the input holds; {"b64": …} keeps every bit');
}

/** Little-endian, as perf_analyzer has it on every host. */
function decodeBytes(
  b64: string,
  type: ElementType,
  target: FieldTarget | undefined,
  place: ProblemPlace,
): NumericArray {
  if (target === undefined) {
    const hint = 'name the input that it feeds by `from` under data.inputs';
    throw invalidItem(
      'it holds bytes for no input of the model, so that their type is not known',
      place,
      hint,
    );
  }
  if (b64.length % 4 !== 0 || !BASE64.test(b64)) {
    throw invalidItem(
      'its bytes are not in base64',
      place,
      'encode the raw bytes by base64, without line breaks',
    );
  }
  const decoded = Buffer.from(b64, 'base64');
  const elementSizeBytes = allocateElements(type, 0).BYTES_PER_ELEMENT;
  if (decoded.length % elementSizeBytes !== 0) {
    const message = `it holds ${decoded.length} bytes, which are no whole number of ${type}`;
    throw invalidItem(
      message,
      place,
      `encode the values as ${type}, which the input '${target.input}' takes`,
    );
  }
  // A buffer of its own: small ones lie in a shared pool, at places where no wide element may begin.
  const bytes = new Uint8Array(new ArrayBuffer(decoded.length));
  bytes.set(decoded);
  swapToHostOrder(bytes, { byteOrder: 'little', elementSizeBytes });
  return allocateElements(type, decoded.length / elementSizeBytes, bytes.buffer);
}

function dimsOf(
  count: number,
  shape: readonly number[] | undefined,
  target: FieldTarget | undefined,
  place: ProblemPlace,
): readonly number[] {
  const row = shape ?? target?.row ?? 'flat';
  if (row === 'flat') return [count];
  if (row === 'unknown') {
    const message = `it holds ${count} numbers without a shape, and the input '${target?.input}' has none that is fixed`;
    throw invalidItem(message, place, 'write {"content": list, "shape": dims}');
  }
  if (elementCount(row) === count) return row;
  const message = `it holds ${count} numbers, but [${row}] is ${elementCount(row)}`;
  const hint =
    shape === undefined
      ? 'an entry is one sample; another size needs a "shape"'
      : 'correct the shape or the list';
  throw invalidItem(message, place, hint);
}
