import { err, ok, type Result } from '../../core/result.ts';

/** What a number or an array of numbers, nested to any depth, holds. */
export interface NestedNumbers {
  /** Empty for a single number. */
  readonly dims: readonly number[];
  /** Whether every number is whole; true where there is none. */
  readonly whole: boolean;
  /** The largest magnitude; 0 where there is no number. */
  readonly largest: number;
}

interface Tally {
  whole: boolean;
  largest: number;
}

/**
 * Measures a parsed JSON value without copying it. The error is a phrase that says what is wrong: something that is not
 * a number, rows of different lengths, a number too large for a double.
 */
export function measureNested(value: unknown): Result<NestedNumbers, string> {
  const dims: number[] = [];
  // The first element at every depth gives the size that all others must have.
  for (let first = value; Array.isArray(first); first = first[0]) {
    dims.push(first.length);
    if (first.length === 0) break;
  }
  const tally: Tally = { whole: true, largest: 0 };
  const fault = dims.length === 0 ? tallyRow([value], tally) : tallyArray(value, dims, 0, tally);
  if (fault !== undefined) return err(fault);
  if (tally.largest === Number.POSITIVE_INFINITY) return err('it holds a number too large for a double');
  return ok({ dims, ...tally });
}

/** The numbers of a value with these dims, in row-major order. The dims are those that `measureNested` gave. */
export function flattenNested(value: unknown, dims: readonly number[]): Float64Array {
  if (dims.length === 0) return Float64Array.of(value as number);
  const values = new Float64Array(dims.reduce((count, dim) => count * dim, 1));
  copyNested(value as readonly unknown[], dims.length - 1, values, 0);
  return values;
}

function copyNested(row: readonly unknown[], depth: number, into: Float64Array, start: number): number {
  if (depth === 0) {
    for (let i = 0; i < row.length; i += 1) into[start + i] = row[i] as number;
    return start + row.length;
  }
  let next = start;
  for (const inner of row) next = copyNested(inner as readonly unknown[], depth - 1, into, next);
  return next;
}

function tallyArray(
  value: unknown,
  dims: readonly number[],
  depth: number,
  tally: Tally,
): string | undefined {
  if (!Array.isArray(value)) return `it holds ${nameOf(value)} where other places hold an array`;
  const row: readonly unknown[] = value;
  if (row.length !== dims[depth]) {
    return `it is ragged: an array of ${row.length} stands beside one of ${dims[depth]}`;
  }
  if (depth === dims.length - 1) return tallyRow(row, tally);
  for (const inner of row) {
    const fault = tallyArray(inner, dims, depth + 1, tally);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function tallyRow(row: readonly unknown[], tally: Tally): string | undefined {
  let { whole, largest } = tally;
  for (let i = 0; i < row.length; i += 1) {
    const value = row[i];
    if (typeof value !== 'number') return `it holds ${nameOf(value)}, not a number`;
    if (whole && !Number.isInteger(value)) whole = false;
    const magnitude = Math.abs(value);
    if (magnitude > largest) largest = magnitude;
  }
  tally.whole = whole;
  tally.largest = largest;
  return undefined;
}

const MAX_SHOWN = 40;

/** A parsed JSON value for a message: short, and as it stands in the file. */
export function nameOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = String(value);
  const shown = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  return typeof value === 'string' ? `the text '${shown}'` : shown;
}
