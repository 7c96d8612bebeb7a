import { type Problem, type ProblemPlace, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { type ElementType, elementCount } from '../core/tensor.ts';
import { type PythonLiteral, parsePythonLiteral } from './python-literal.ts';

/** The header of one `.npy` array. */
export interface NpyHeader {
  readonly type: ElementType;
  readonly byteOrder: 'little' | 'big';
  readonly shape: readonly number[];
  readonly elementSizeBytes: number;
  /** Bytes from the start of the `.npy` to its first element. */
  readonly dataOffset: number;
  readonly dataSizeBytes: number;
}

export type NpyProblem = Problem<'npy-invalid' | 'npy-unsupported'>;

/** Bytes from which `npyHeaderSize` can tell how long the whole header is. */
export const NPY_PREFIX_BYTES = 12;

// NumPy itself refuses headers above 10 000 characters by default; this leaves room and still bounds the memory.
const MAX_HEADER_BYTES = 65_536;

const MAGIC = '\x93NUMPY';

const TYPES: Readonly<Record<string, ElementType>> = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  b1: 'bool',
};

/**
 * Length in bytes of the header, magic included, from the first `NPY_PREFIX_BYTES` of the file.
 * Format versions 1.0, 2.0 and 3.0. Source: NumPy enhancement proposal 1 and `numpy.lib.format`.
 */
export function npyHeaderSize(prefix: Uint8Array, place: ProblemPlace): Result<number, NpyProblem> {
  if (prefix.length < NPY_PREFIX_BYTES || latin1(prefix.subarray(0, MAGIC.length)) !== MAGIC) {
    return invalid('this is not a .npy array: the magic bytes are missing', place);
  }
  const version = prefix[6] ?? 0;
  if (version < 1 || version > 3) {
    return unsupported(`.npy format version ${version} is not known; 1, 2 and 3 are`, place);
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength);
  const size = version === 1 ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true);
  if (size < NPY_PREFIX_BYTES || size > MAX_HEADER_BYTES) {
    return invalid(
      `the .npy header claims to be ${size} bytes long; the most accepted is ${MAX_HEADER_BYTES}`,
      place,
    );
  }
  return ok(size);
}

/**
 * Parses a whole header, of exactly the length that `npyHeaderSize` gave.
 * Errors: `npy-invalid` for what NumPy would not write, `npy-unsupported` for arrays that cannot be fed row by row
 * (Python objects, structures, text, complex numbers, dates, Fortran order).
 */
export function parseNpyHeader(bytes: Uint8Array, place: ProblemPlace): Result<NpyHeader, NpyProblem> {
  const size = npyHeaderSize(bytes, place);
  if (!size.ok) return size;
  if (bytes.length !== size.value) {
    return invalid(`the .npy header is cut short: ${bytes.length} of ${size.value} bytes`, place);
  }
  const version = bytes[6] ?? 0;
  const body = bytes.subarray(version === 1 ? 10 : 12);
  const literal = parsePythonLiteral(version === 3 ? new TextDecoder().decode(body) : latin1(body));
  if (literal?.kind !== 'dict')
    return invalid('the .npy header is not the dictionary that NumPy writes', place);

  const shape = readShape(literal.entries.get('shape'));
  if (shape === undefined) return invalid("'shape' in the .npy header is not a tuple of sizes", place);
  const fortran = literal.entries.get('fortran_order');
  if (fortran?.kind !== 'bool') return invalid("'fortran_order' in the .npy header is not a boolean", place);
  const dtype = readDtype(literal.entries.get('descr'), place);
  if (!dtype.ok) return dtype;
  if (fortran.value && shape.length > 1) {
    return unsupported(
      'the array is in Fortran (column-major) order, so a sample is not one run of bytes',
      place,
      {
        hint: 'save it with `np.ascontiguousarray(array)`',
      },
    );
  }
  const dataSizeBytes = elementCount(shape) * dtype.value.elementSizeBytes;
  if (!Number.isSafeInteger(dataSizeBytes)) {
    return invalid(`the .npy header claims the shape [${shape}], which no file can hold`, place);
  }
  return ok({ ...dtype.value, shape, dataOffset: bytes.length, dataSizeBytes });
}

type Dtype = Pick<NpyHeader, 'type' | 'byteOrder' | 'elementSizeBytes'>;

function readDtype(descr: PythonLiteral | undefined, place: ProblemPlace): Result<Dtype, NpyProblem> {
  if (descr?.kind === 'sequence') {
    return unsupported('the array has a structured dtype (named fields)', place, {
      hint: 'save every field as an array of its own',
    });
  }
  if (descr?.kind !== 'string') return invalid("'descr' in the .npy header is not a dtype", place);
  const text = descr.value;
  if (/^[|<>=]?O/.test(text)) {
    return unsupported(
      'the array holds pickled Python objects, which are never unpickled: doing so would run code from the file',
      place,
      {
        hint: 'save it with a numeric dtype: `array.astype(np.float32)`; rows of different lengths must be padded',
      },
    );
  }
  const type = TYPES[text.slice(1)];
  const order = text.charAt(0);
  if (type === undefined || !'<>|='.includes(order)) {
    return unsupported(`the array has the dtype '${text}'`, place, {
      hint: `save it as one of ${Object.values(TYPES).join(', ')}`,
    });
  }
  return ok({ type, byteOrder: order === '>' ? 'big' : 'little', elementSizeBytes: Number(text.slice(2)) });
}

function readShape(literal: PythonLiteral | undefined): readonly number[] | undefined {
  if (literal?.kind !== 'sequence') return undefined;
  const shape: number[] = [];
  for (const item of literal.items) {
    if (item.kind !== 'integer' || item.value < 0) return undefined;
    shape.push(item.value);
  }
  return shape;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function invalid(message: string, place: ProblemPlace): Result<never, NpyProblem> {
  return err(problem('npy-invalid', message, { place, hint: 'write the file again with `np.savez`' }));
}

function unsupported(
  message: string,
  place: ProblemPlace,
  more: { readonly hint?: string } = {},
): Result<never, NpyProblem> {
  return err(problem('npy-unsupported', message, { place, ...more }));
}
