import { isUtf8 } from 'node:buffer';
import type { ProblemPlace } from '../../core/problem.ts';
import { nameOf } from '../labels/nested-numbers.ts';
import { invalidItem } from './jsonl-fields.ts';

/** The values of one sample, or of its outputs, by their names. */
export type Entry = Readonly<Record<string, unknown>>;

/** The element that an item lies in, and its step where that is a stream. */
export interface EntryPosition {
  readonly element: number;
  readonly step: number | undefined;
}

/** Parses an element of `data` or `validation_data`. Throws a `ProblemError` of the kind `item-invalid`. */
export function parseElement(bytes: Buffer, place: ProblemPlace): unknown {
  if (!isUtf8(bytes)) throw invalidItem('the entry is not UTF-8', place, 'save the file in UTF-8');
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    const message = `the entry is not JSON: ${(error as SyntaxError).message}`;
    throw invalidItem(
      message,
      place,
      'correct the entry; JSON has no NaN and no Infinity, which {"b64": …} can hold',
    );
  }
}

/** The entry of an item within its element. Throws a `ProblemError` of the kind `item-invalid`. */
export function entryAt(element: unknown, step: number | undefined, place: ProblemPlace): Entry {
  const entry = step === undefined ? element : Array.isArray(element) ? element[step] : undefined;
  if (typeof entry === 'object' && entry !== null && !Array.isArray(entry)) return entry as Entry;
  throw invalidItem(
    `the entry is ${nameOf(entry)}, not an object`,
    place,
    'write an object with a value for each input',
  );
}

/** `/data/3`, or `/data/3/0` in a stream. */
export function entryField(member: string, { element, step }: EntryPosition): string {
  return step === undefined ? `/${member}/${element}` : `/${member}/${element}/${step}`;
}

/** The only output of an entry of `validation_data`; undefined where it has several, of which nobody says which counts. */
export function onlyOutput(entry: Entry): string | undefined {
  const [name, ...others] = Object.keys(entry).filter((key) => key !== 'model');
  return others.length === 0 ? name : undefined;
}
