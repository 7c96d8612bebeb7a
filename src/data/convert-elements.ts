import { decodeFloat16, encodeFloat16 } from '../core/float16.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { ElementType, NumericArray } from '../core/tensor.ts';

/** An element that the wanted type cannot hold. */
interface UnrepresentableElement {
  /** Index in the flat array. */
  readonly index: number;
  readonly value: string;
}

type IntegerType = Exclude<ElementType, 'float16' | 'float32' | 'float64' | 'string'>;
type FloatType = 'float16' | 'float32' | 'float64';

const INTEGER_RANGES: Readonly<Record<IntegerType, readonly [min: bigint, max: bigint]>> = {
  bool: [0n, 1n],
  int8: [-(2n ** 7n), 2n ** 7n - 1n],
  uint8: [0n, 2n ** 8n - 1n],
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

/**
 * Whether data of one type may stand in for another. Floats go to any float, integers to any float or integer;
 * a float never becomes an integer, as nobody can tell which rounding was meant.
 */
export function isConvertible(from: ElementType, to: ElementType): boolean {
  if (from === to) return from !== 'string';
  if (from === 'string' || to === 'string') return false;
  return isFloat(to) || !isFloat(from);
}

/**
 * Converts a flat array between two types for which `isConvertible` holds; the same type gives the same array back.
 * Floats round to the nearest value of the narrower type, but a finite value must stay finite. Integers must be kept
 * exactly. The first element that breaks this is the error.
 */
export function convertElements(
  data: NumericArray,
  from: ElementType,
  to: ElementType,
): Result<NumericArray, UnrepresentableElement> {
  if (from === to) return ok(data);
  if (!isConvertible(from, to)) throw new TypeError(`no conversion from ${from} to ${to}`);
  const converted = allocateElements(to, data.length);
  const encode = isFloat(to) ? floatEncoder(to, isFloat(from)) : integerEncoder(to as IntegerType);
  for (let i = 0; i < data.length; i += 1) {
    const raw = data[i] as number | bigint;
    const value = from === 'float16' ? decodeFloat16(raw as number) : raw;
    const encoded = encode(value);
    if (encoded === undefined) return err({ index: i, value: String(value) });
    converted[i] = encoded;
  }
  return ok(converted);
}

/** A zeroed array for `count` elements of a type, over `buffer` when that is given. */
export function allocateElements(type: ElementType, count: number, buffer?: ArrayBuffer): NumericArray {
  const bytes = buffer ?? new ArrayBuffer(count * elementSize(type));
  switch (type) {
    case 'float32':
      return new Float32Array(bytes, 0, count);
    case 'float64':
      return new Float64Array(bytes, 0, count);
    case 'float16':
    case 'uint16':
      return new Uint16Array(bytes, 0, count);
    case 'int8':
      return new Int8Array(bytes, 0, count);
    case 'uint8':
    case 'bool':
      return new Uint8Array(bytes, 0, count);
    case 'int16':
      return new Int16Array(bytes, 0, count);
    case 'int32':
      return new Int32Array(bytes, 0, count);
    case 'uint32':
      return new Uint32Array(bytes, 0, count);
    case 'int64':
      return new BigInt64Array(bytes, 0, count);
    case 'uint64':
      return new BigUint64Array(bytes, 0, count);
    case 'string':
      throw new TypeError('strings have no fixed size');
  }
}

function elementSize(type: ElementType): number {
  if (type === 'bool') return 1;
  return Number(/\d+$/.exec(type)?.[0]) / 8;
}

type Encoder = (value: number | bigint) => number | bigint | undefined;

function floatEncoder(to: FloatType, fromFloat: boolean): Encoder {
  const round = (value: number): number => {
    if (to === 'float64') return value;
    return to === 'float32' ? Math.fround(value) : decodeFloat16(encodeFloat16(value));
  };
  return (value) => {
    const rounded = round(Number(value));
    const kept = fromFloat
      ? Number.isFinite(rounded) || !Number.isFinite(value)
      : // A bigint and a number compare by their mathematical values, so this is exact for int64 too.
        // biome-ignore lint/suspicious/noDoubleEquals: strict equality would compare the types as well.
        rounded == value;
    if (!kept) return undefined;
    return to === 'float16' ? encodeFloat16(rounded) : rounded;
  };
}

function integerEncoder(to: IntegerType): Encoder {
  const [min, max] = INTEGER_RANGES[to];
  const wide = to === 'int64' || to === 'uint64';
  return (value) => {
    if (value < min || value > max) return undefined;
    return wide ? BigInt(value) : Number(value);
  };
}

function isFloat(type: ElementType): type is FloatType {
  return type === 'float16' || type === 'float32' || type === 'float64';
}
