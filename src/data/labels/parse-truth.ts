import type { LabelSpec } from '../../core/data-spec.ts';
import type { Truth, TruthBox } from '../../core/item.ts';
import { ProblemError, type ProblemPlace, problem } from '../../core/problem.ts';
import { quoteNames } from '../quote-names.ts';
import { flattenNested, measureNested, nameOf } from './nested-numbers.ts';

/** From a cell of a table or a value of JSON to the truth. Throws a `ProblemError` of the kind `labels-invalid`. */
export type ParseTruth = (value: unknown, place: ProblemPlace) => Truth;

const MAX_CLASS = 0x7fffffff;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * How truths of the kind that the labels have are written:
 * - `class`: a class from 0, or a name in `labels.classes`; a text that is such a name is never taken for a number.
 * - `classes`: classes in a JSON array, or in a text with `|` between them; an empty text for none.
 * - `tensor`: a number, or a JSON array of numbers, nested to give dims.
 * - `text`: a text.
 * - `tags`: a JSON array of texts, or a text with blanks between the tags.
 * - `boxes`: a JSON array of `{category, x, y, width, height}` in pixels, with `isCrowd` and `area` where they are
 * known.
 */
export function createTruthParser(labels: LabelSpec | undefined, place: ProblemPlace): ParseTruth {
  const kind = labels?.kind ?? 'class';
  const classOf = createClassReader(labels?.classes, place);
  switch (kind) {
    case 'class':
      return (value, at) => ({ kind, index: classOf(value, at) });
    case 'classes':
      return (value, at) => ({ kind, indices: readClasses(value, classOf, at) });
    case 'tensor':
      return readTensor;
    case 'text':
      return (value, at) => {
        if (typeof value !== 'string') throw invalid(`the label is ${nameOf(value)}, not a text`, at);
        return { kind, text: value };
      };
    case 'tags':
      return (value, at) => ({ kind, tags: readTags(value, at) });
    case 'boxes':
      return (value, at) => ({ kind, boxes: readBoxes(value, classOf, at) });
    case 'mask':
      throw invalid('masks are pictures of their own and stand in no label file', place, {
        hint: 'name their folder in `labels.masks`, and no `labels.file`',
      });
  }
}

export type ClassReader = (value: unknown, place: ProblemPlace) => number;

/** From a class's number or name to its number. `place` is where the names would be at fault. */
export function createClassReader(classes: readonly string[] | undefined, place: ProblemPlace): ClassReader {
  const indexOf = new Map(classes?.map((name, index) => [name, index]));
  if (classes !== undefined && indexOf.size < classes.length) {
    const twice = classes.find((name, index) => indexOf.get(name) !== index);
    throw invalid(`the class '${twice}' stands twice in \`labels.classes\``, place, {
      hint: 'give each class of the model a name of its own, in the order of the model',
    });
  }
  return (value, at) => {
    const named = typeof value === 'string' ? indexOf.get(value) : undefined;
    if (named !== undefined) return named;
    const index = readNumber(value);
    if (index === undefined) throw unknownClass(value, classes, at);
    if (!Number.isInteger(index) || index < 0 || index > MAX_CLASS) {
      throw invalid(`the label is ${index}; classes are whole numbers from 0`, at);
    }
    if (classes !== undefined && index >= classes.length) {
      throw invalid(
        `the label is ${index}, but \`labels.classes\` names the classes 0 to ${classes.length - 1}`,
        at,
      );
    }
    return index;
  };
}

function unknownClass(value: unknown, classes: readonly string[] | undefined, at: ProblemPlace) {
  if (classes !== undefined) {
    return invalid(
      `the label is ${nameOf(value)}, neither a number nor one of the classes ${quoteNames(classes)}`,
      at,
      { hint: 'name every class in `labels.classes`, in the order of the model' },
    );
  }
  return invalid(`the label is ${nameOf(value)}, not the number of a class`, at, {
    hint: 'list the names in `labels.classes`, in the order of the model, or say what the labels are in `labels.kind`',
  });
}

function readNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  return NUMBER.test(text) ? Number(text) : undefined;
}

function readClasses(value: unknown, classOf: ClassReader, at: ProblemPlace): readonly number[] {
  const parts = readList(value, '|', at);
  if (parts === undefined) throw invalid(`the label is ${nameOf(value)}, not a list of classes`, at);
  const indices = parts.map((part) => classOf(typeof part === 'string' ? part.trim() : part, at));
  if (new Set(indices).size < indices.length) throw invalid('the label names a class twice', at);
  return indices;
}

function readTags(value: unknown, at: ProblemPlace): readonly string[] {
  const parts = readList(value, /\s+/, at);
  if (parts === undefined) throw invalid(`the label is ${nameOf(value)}, not a list of tags`, at);
  return parts.map((part) => {
    if (typeof part === 'string') return part;
    throw invalid(`a tag is ${nameOf(part)}, not a text`, at);
  });
}

function readTensor(value: unknown, at: ProblemPlace): Truth {
  const parsed = typeof value === 'string' ? (readNumber(value) ?? parseJsonArray(value, at)) : value;
  const measured = parsed === undefined ? undefined : measureNested(parsed);
  if (measured === undefined || !measured.ok) {
    const why = measured === undefined || !Array.isArray(parsed) ? '' : `: ${measured.error}`;
    throw invalid(`the label is ${nameOf(parsed ?? value)}, not a number or an array of numbers${why}`, at);
  }
  const { dims } = measured.value;
  return { kind: 'tensor', dims, values: flattenNested(parsed, dims) };
}

/** The parts of a JSON array, or of a text with separators; undefined for anything else. */
function readList(
  value: unknown,
  separator: string | RegExp,
  at: ProblemPlace,
): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  return text === '' ? [] : (parseJsonArray(text, at) ?? text.split(separator));
}

/** Undefined for a text that does not begin as an array does. */
function parseJsonArray(text: string, at: ProblemPlace): readonly unknown[] | undefined {
  if (!text.trimStart().startsWith('[')) return undefined;
  try {
    return JSON.parse(text) as readonly unknown[];
  } catch {
    throw invalid(`the label begins like a JSON array but is none: ${nameOf(text)}`, at);
  }
}

function readBoxes(value: unknown, classOf: ClassReader, at: ProblemPlace): readonly TruthBox[] {
  const list = typeof value === 'string' ? parseJsonArray(value, at) : value;
  if (!Array.isArray(list)) throw invalid(`the label is ${nameOf(value)}, not an array of boxes`, at);
  return list.map((entry: unknown, position) => {
    const where = `box ${position}`;
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
      throw invalid(`${where} is ${nameOf(entry)}, not an object`, at);
    }
    const { category, x, y, width, height, isCrowd, area } = entry as Readonly<Record<string, unknown>>;
    return createBox(
      { category: classOf(category, at), bbox: [x, y, width, height], isCrowd, area },
      where,
      at,
    );
  });
}

/** A box as a file states it, with the numbers unchecked. */
interface StatedBox {
  readonly category: number;
  /** x, y, width, height. */
  readonly bbox: readonly unknown[];
  readonly isCrowd: unknown;
  readonly area: unknown;
}

/**
 * Checks a box: finite numbers, no negative size. `isCrowd` is no unless stated, `area` that of the box unless stated.
 */
export function createBox(
  { category, bbox, isCrowd, area }: StatedBox,
  where: string,
  place: ProblemPlace,
): TruthBox {
  const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((name, i) => {
    const number = bbox[i];
    if (typeof number === 'number' && Number.isFinite(number) && (i < 2 || number >= 0)) return number;
    throw invalid(
      `${name} of ${where} is ${nameOf(number)}, not ${i < 2 ? 'a number' : 'a size'} in pixels`,
      place,
    );
  }) as [number, number, number, number];
  if (isCrowd !== undefined && isCrowd !== 0 && isCrowd !== 1 && typeof isCrowd !== 'boolean') {
    throw invalid(`whether ${where} is a crowd is ${nameOf(isCrowd)}, not a boolean`, place);
  }
  if (area !== undefined && !(typeof area === 'number' && Number.isFinite(area) && area >= 0)) {
    throw invalid(`the area of ${where} is ${nameOf(area)}, not a number of pixels`, place);
  }
  return {
    category,
    x,
    y,
    width,
    height,
    isCrowd: isCrowd === true || isCrowd === 1,
    area: area ?? width * height,
  };
}

/** The problem of a label that cannot be used. */
export function invalid(
  message: string,
  place: ProblemPlace,
  more: { readonly hint?: string } = {},
): ProblemError<'labels-invalid'> {
  return new ProblemError(problem('labels-invalid', message, { place, ...more }));
}
