import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { type Problem, type ProblemPlace, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';

export type YamlProblemKind = 'yaml-syntax' | 'duplicate-field';

/** One slip can make every line after it wrong. */
const MOST_SYNTAX_PROBLEMS = 20;

/** A parsed YAML file: its plain value, and where each field of it was written. */
export interface YamlDocument {
  readonly file: string;
  readonly value: unknown;
  /** Repeated keys. The value holds the last one, so that the rest of the file can still be checked. */
  readonly duplicates: readonly Problem<YamlProblemKind>[];
  /**
   * Line and column (from 1) of the field at a JSON pointer: of its key, or of its value. A field that is
   * not in the file gets the place of the nearest parent that is.
   */
  placeOf(pointer: string, part: 'key' | 'value'): ProblemPlace;
}

/**
 * Parses YAML 1.2 (core schema: dates stay strings, `yes` is a string). All syntax errors are reported at
 * once, with line and column. `file` is used for the messages only.
 */
export function parseYaml(
  text: string,
  file: string,
): Result<YamlDocument, readonly Problem<YamlProblemKind>[]> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const placeAt = (offset: number): ProblemPlace => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };

  const syntax = [...document.errors, ...document.warnings].filter(({ code }) => code !== 'DUPLICATE_KEY');
  if (syntax.length > 0) {
    const told = syntax
      .slice(0, MOST_SYNTAX_PROBLEMS)
      .map(({ message, pos }) =>
        problem('yaml-syntax', `not valid YAML: ${message}`, { place: placeAt(pos[0]) }),
      );
    const untold = syntax.length - told.length;
    const rest = problem('yaml-syntax', `not valid YAML, ${untold} times more`, { place: { file } });
    return err(untold === 0 ? told : [...told, rest]);
  }

  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    // The parser leaves aliases unresolved until now: an unknown one, or too many of them, shows here.
    if (!(error instanceof ReferenceError)) throw error;
    return err([problem('yaml-syntax', `not valid YAML: ${error.message}`, { place: { file, line: 1 } })]);
  }

  const duplicates = document.errors.map(({ pos }) =>
    problem('duplicate-field', `the field "${wordAt(text, pos[0])}" is given twice`, {
      place: placeAt(pos[0]),
      hint: 'keep one of the two',
    }),
  );
  const root = document.contents;
  return ok({
    file,
    value,
    duplicates,
    placeOf: (pointer, part) => {
      const node = locate(root, pointerSegments(pointer), part);
      const field = pointer === '' ? {} : { field: pointer };
      return { ...placeAt(node?.range?.[0] ?? 0), ...field };
    },
  });
}

/** `/a~1b/0` → `['a/b', '0']` (RFC 6901). */
export function pointerSegments(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Appends one segment to a JSON pointer, escaped. */
export function joinPointer(pointer: string, segment: string): string {
  return `${pointer}/${segment.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function locate(root: Node | null, segments: readonly string[], part: 'key' | 'value'): Node | undefined {
  let field: Field | undefined = root === null ? undefined : { key: root, value: root };
  for (const segment of segments) {
    const child: Field | undefined = field === undefined ? undefined : childOf(field.value, segment);
    if (child === undefined) return field?.key;
    field = child;
  }
  return field?.[part];
}

/** A node and what names it: the key in a map, the item itself in a list. */
interface Field {
  readonly key: Node;
  readonly value: Node;
}

/** An alias has no children here: a reader looks for the place where it is used, not where its anchor is. */
function childOf(node: Node, segment: string): Field | undefined {
  if (isSeq<Node>(node)) {
    const item = node.items[Number(segment)];
    return item === undefined ? undefined : { key: item, value: item };
  }
  if (!isMap<Node, Node>(node)) return undefined;
  const pair = node.items.find(({ key }) => isScalar(key) && key.value === segment);
  return pair === undefined ? undefined : { key: pair.key, value: pair.value ?? pair.key };
}

function wordAt(text: string, offset: number): string {
  const match = /^(?:"([^"]*)"|'([^']*)'|([^\s:,}\]]+))/.exec(text.slice(offset, offset + 200));
  return match?.[1] ?? match?.[2] ?? match?.[3] ?? '';
}
