import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { extname, posix } from 'node:path';
import { CsvError, parse } from 'csv-parse/sync';
import type { LabelSpec } from '../../core/data-spec.ts';
import type { Truth } from '../../core/item.ts';
import { attemptAsync, type Problem, type ProblemPlace } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { unreadable } from '../formats/byte-source.ts';
import { parseJsonLine, scanLines } from '../formats/scan-lines.ts';
import { quoteNames } from '../quote-names.ts';
import { nameOf } from './nested-numbers.ts';
import { createTruthParser, invalid } from './parse-truth.ts';

/** What a label file says about one item. */
export interface LabelEntry {
  readonly truth: Truth;
  readonly group?: string;
  readonly place: ProblemPlace;
}

/** By the item's path relative to the folder of the items, with `/` between folders. */
export type LabelTable = ReadonlyMap<string, LabelEntry>;

/** One row before its truth is parsed. */
interface Row {
  readonly item: unknown;
  readonly truth: unknown;
  readonly group: unknown;
}

/**
 * Reads labels from CSV (`.csv`, RFC 4180, the first line names the columns) or JSON lines (`.jsonl`, `.ndjson`). The
 * columns are `file` and `label` unless `labels.item` and `labels.truth` name others, and `labels.group` where it is
 * given.
 * Errors: `data-unreadable`; `labels-invalid` with file and line: a column that is missing, a line that cannot be
 * parsed, a truth that is not of the kind, two lines for one item.
 */
export function readLabelTable(file: string, labels: LabelSpec): Promise<Result<LabelTable, Problem>> {
  return attemptAsync(async () => {
    const parseTruth = createTruthParser(labels, { file });
    const table = new Map<string, LabelEntry>();
    const add = (row: Row, line: number) => {
      const place = { file, line };
      const item = itemName(row.item, labels, place);
      const before = table.get(item);
      if (before !== undefined) {
        throw invalid(`'${item}' has a label in line ${before.place.line} already`, place, {
          hint: 'leave one line for each item',
        });
      }
      const truth = parseTruth(row.truth, place);
      const group = labels.group === undefined ? {} : { group: groupName(row.group, place) };
      table.set(item, { truth, place, ...group });
    };
    const extension = extname(file).toLowerCase();
    if (extension === '.csv') await readCsv(file, labels, add);
    else if (extension === '.jsonl' || extension === '.ndjson') await readJsonLines(file, labels, add);
    else throw unknownExtension(file);
    return table;
  });
}

/** A path as the names of items are written: `./a.jpg` is `a.jpg`. */
export function normalizeItem(name: string): string {
  return posix.normalize(name);
}

async function readCsv(
  file: string,
  labels: LabelSpec,
  add: (row: Row, line: number) => void,
): Promise<void> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw unreadable(error, file);
  });
  if (!isUtf8(bytes)) throw invalid('the file is not UTF-8', { file }, { hint: 'save it in UTF-8' });
  let columns: Record<keyof Row, number> | undefined;
  try {
    parse(bytes, {
      bom: true,
      trim: true,
      skip_empty_lines: true,
      on_record: (record: string[], { lines }) => {
        if (columns === undefined) columns = findColumns(record, labels, { file, line: lines });
        else add(pick(record, columns), lines);
        // Nothing needs the parser's own list of records.
        return null;
      },
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = error['lines'];
    throw invalid(
      `the line is not valid CSV: ${error.message}`,
      { file, ...(typeof line === 'number' ? { line } : {}) },
      { hint: 'every line has the columns of the first; texts with commas or quotes stand in quotes' },
    );
  }
  if (columns === undefined)
    throw invalid('the file is empty', { file }, { hint: 'the first line names the columns' });
}

function findColumns(
  names: readonly string[],
  labels: LabelSpec,
  place: ProblemPlace,
): Record<keyof Row, number> {
  const find = (setting: keyof Row, name: string) => {
    const index = names.indexOf(name);
    if (index === -1) throw missing('column', name, setting, names, place);
    if (names.lastIndexOf(name) !== index) {
      throw invalid(`the column '${name}' stands twice in the first line`, place);
    }
    return index;
  };
  return {
    item: find('item', labels.item ?? 'file'),
    truth: find('truth', labels.truth ?? 'label'),
    group: labels.group === undefined ? -1 : find('group', labels.group),
  };
}

function pick(record: readonly string[], columns: Record<keyof Row, number>): Row {
  return { item: record[columns.item], truth: record[columns.truth], group: record[columns.group] };
}

async function readJsonLines(
  file: string,
  labels: LabelSpec,
  add: (row: Row, line: number) => void,
): Promise<void> {
  await scanLines(file, (bytes, { line }) => {
    const place = { file, line };
    const object = parseJsonLine(bytes, place, 'labels-invalid');
    const get = (setting: keyof Row, key: string) => {
      if (Object.hasOwn(object, key)) return object[key];
      throw missing('key', key, setting, Object.keys(object), place);
    };
    add(
      {
        item: get('item', labels.item ?? 'file'),
        truth: get('truth', labels.truth ?? 'label'),
        group: labels.group === undefined ? undefined : get('group', labels.group),
      },
      line,
    );
  });
}

function itemName(value: unknown, labels: LabelSpec, place: ProblemPlace): string {
  if (typeof value === 'string' && value !== '') return normalizeItem(value);
  throw invalid(`'${labels.item ?? 'file'}' is ${nameOf(value)}, not the name of a file`, place);
}

/** Groups are told apart by text; whole numbers will do. Throws a `ProblemError`. */
export function groupName(value: unknown, place: ProblemPlace): string {
  if (typeof value === 'string' && value !== '') return value;
  if (Number.isSafeInteger(value)) return String(value);
  throw invalid(`the group is ${nameOf(value)}, not a text or a whole number`, place);
}

function missing(
  what: 'column' | 'key',
  name: string,
  setting: keyof Row,
  names: readonly string[],
  place: ProblemPlace,
) {
  return invalid(`there is no ${what} '${name}'; there are ${quoteNames(names)}`, place, {
    hint: `name the ${what} in \`labels.${setting}\``,
  });
}

function unknownExtension(file: string) {
  return invalid(
    `the ending '${extname(file)}' is not that of a known label file`,
    { file },
    {
      hint: 'labels are .csv with a header line, .jsonl, or, for boxes, the .json of COCO',
    },
  );
}
