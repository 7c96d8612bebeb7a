import { constants, isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import type { LabelSpec } from '../../core/data-spec.ts';
import type { TruthBox } from '../../core/item.ts';
import { attemptAsync, type Problem, type ProblemPlace } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { formatBytes } from '../../core/units.ts';
import { unreadable } from '../formats/byte-source.ts';
import { quoteNames } from '../quote-names.ts';
import { findJsonFault } from './json-fault.ts';
import { type LabelEntry, type LabelTable, normalizeItem } from './label-table.ts';
import { nameOf } from './nested-numbers.ts';
import { createBox, createClassReader, invalid } from './parse-truth.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** An `id` of COCO: a whole number, or a text in files of other tools. */
type Id = number | string;

/**
 * Reads the boxes of every image from a file in COCO's format: `images`, `annotations` and `categories`. A category's
 * class is the position of its name in `labels.classes`, or of its id among the sorted ids. Images without annotations
 * have no boxes. `iscrowd` is 0 and `area` that of the box where the file does not say. Problems point into the file:
 * `/annotations/3/bbox`.
 * Errors: `data-unreadable`, `labels-invalid`. Source: the data format at cocodataset.org.
 */
export function readCoco(file: string, labels: LabelSpec): Promise<Result<LabelTable, Problem>> {
  return attemptAsync(async () => {
    const root = asObject(await readJson(file), { file });
    const classOf = readCategories(root, labels, file);
    const table = new Map<string, LabelEntry>();
    const boxesOf = new Map<Id, TruthBox[]>();
    eachObject(root, 'images', file, (image, place) => {
      const id = readId(image, 'id', place);
      if (boxesOf.has(id)) throw invalid(`two images have the id ${id}`, place('id'));
      const name = image['file_name'];
      if (typeof name !== 'string' || name === '') {
        throw invalid(`the name of the image is ${nameOf(name)}`, place('file_name'));
      }
      const item = normalizeItem(name);
      if (table.has(item)) throw invalid(`the image '${item}' stands twice in the file`, place('file_name'));
      const boxes: TruthBox[] = [];
      boxesOf.set(id, boxes);
      table.set(item, { truth: { kind: 'boxes', boxes }, place: place('file_name') });
    });
    eachObject(root, 'annotations', file, (annotation, place) => {
      const image = readId(annotation, 'image_id', place);
      const boxes = boxesOf.get(image);
      if (boxes === undefined) throw invalid(`there is no image with the id ${image}`, place('image_id'));
      const { bbox } = annotation as { readonly bbox?: unknown };
      if (!Array.isArray(bbox) || bbox.length !== 4) {
        throw invalid(`the box is ${nameOf(bbox)}, not [x, y, width, height]`, place('bbox'));
      }
      const category = classOf(readId(annotation, 'category_id', place), place('category_id'));
      const { iscrowd: isCrowd, area } = annotation as {
        readonly iscrowd?: unknown;
        readonly area?: unknown;
      };
      boxes.push(createBox({ category, bbox, isCrowd, area }, 'the box', place('bbox')));
    });
    return table;
  });
}

type PlaceOf = (key: string) => ProblemPlace;

function readCategories(
  root: JsonObject,
  labels: LabelSpec,
  file: string,
): (id: Id, place: ProblemPlace) => number {
  const nameById = new Map<Id, string>();
  eachObject(root, 'categories', file, (category, place) => {
    const id = readId(category, 'id', place);
    if (nameById.has(id)) throw invalid(`two categories have the id ${id}`, place('id'));
    const name = category['name'];
    if (typeof name !== 'string') throw invalid(`the name of the category is ${nameOf(name)}`, place('name'));
    nameById.set(id, name);
  });
  const position = new Map([...nameById.keys()].sort(compareIds).map((id, index) => [id, index]));
  const classOf = createClassReader(labels.classes, { file });
  return (id, place) => {
    const name = nameById.get(id);
    if (name === undefined) {
      throw invalid(
        `there is no category with the id ${id}; the ids are ${[...position.keys()].join(', ')}`,
        place,
      );
    }
    if (labels.classes === undefined) return position.get(id) as number;
    if (labels.classes.includes(name)) return classOf(name, place);
    throw invalid(
      `the category '${name}' is not among \`labels.classes\`, which are ${quoteNames(labels.classes)}`,
      place,
      { hint: 'name every category that the file uses, in the order of the model' },
    );
  };
}

function compareIds(a: Id, b: Id): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a) < String(b) ? -1 : 1;
}

function readId(object: JsonObject, key: string, place: PlaceOf): Id {
  const id = object[key];
  if (Number.isSafeInteger(id) || typeof id === 'string') return id as Id;
  throw invalid(`\`${key}\` is ${nameOf(id)}, not a whole number`, place(key));
}

function eachObject(
  root: JsonObject,
  list: string,
  file: string,
  visit: (object: JsonObject, place: PlaceOf) => void,
): void {
  const entries = root[list];
  if (!Array.isArray(entries)) {
    throw invalid(
      `\`${list}\` is ${nameOf(entries)}, not an array`,
      { file, field: `/${list}` },
      {
        hint: "labels of the kind 'boxes' are COCO's JSON with `images`, `annotations` and `categories`, or .jsonl",
      },
    );
  }
  entries.forEach((entry: unknown, index) => {
    const field = `/${list}/${index}`;
    visit(asObject(entry, { file, field }), (key) => ({ file, field: `${field}/${key}` }));
  });
}

function asObject(value: unknown, place: ProblemPlace): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw invalid(`here stands ${nameOf(value)}, not an object`, place);
}

async function readJson(file: string): Promise<unknown> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw unreadable(error, file);
  });
  if (bytes.length > constants.MAX_STRING_LENGTH) {
    throw invalid(
      `the file is larger than ${formatBytes(constants.MAX_STRING_LENGTH)}`,
      { file },
      {
        hint: 'keep only the images that are used, or write the boxes as .jsonl',
      },
    );
  }
  if (!isUtf8(bytes)) throw invalid('the file is not UTF-8', { file }, { hint: 'save it in UTF-8' });
  const text = bytes.toString('utf8').replace(/^\ufeff/, '');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(
      `the file is not JSON: ${(error as SyntaxError).message}`,
      { file, ...findJsonFault(text) },
      { hint: 'NaN, comments and commas after the last element are no JSON' },
    );
  }
}
