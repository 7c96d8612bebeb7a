/** The Python literals that a `.npy` header is made of. */
export type PythonLiteral =
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'sequence'; readonly items: readonly PythonLiteral[] }
  | { readonly kind: 'dict'; readonly entries: ReadonlyMap<string, PythonLiteral> };

const TOKEN = /\s*(?:('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")|(-?\d+)L?|(True|False)|([{}()[\],:]))/y;

// A dtype description nests structures; anything deeper than this was not written by NumPy.
const MAX_DEPTH = 32;

/**
 * Reads one literal: strings, integers, booleans, tuples, lists and dictionaries with string keys.
 * Returns undefined for anything else, so nothing in a header is ever evaluated. An integer may carry the `L` that
 * Python 2 wrote.
 */
export function parsePythonLiteral(text: string): PythonLiteral | undefined {
  const tokens = tokenize(text);
  if (tokens === undefined) return undefined;
  const cursor: Cursor = { tokens, next: 0 };
  const literal = readLiteral(cursor, 0);
  return cursor.next === tokens.length ? literal : undefined;
}

type Token = PythonLiteral | { readonly kind: 'mark'; readonly mark: string };

interface Cursor {
  readonly tokens: readonly Token[];
  next: number;
}

function tokenize(text: string): readonly Token[] | undefined {
  const source = text.trimEnd();
  const pattern = new RegExp(TOKEN);
  const tokens: Token[] = [];
  while (pattern.lastIndex < source.length) {
    const match = pattern.exec(source);
    if (match === null) return undefined;
    const [, string, integer, bool, mark] = match;
    if (string !== undefined) tokens.push({ kind: 'string', value: unquote(string) });
    else if (integer !== undefined) tokens.push({ kind: 'integer', value: Number(integer) });
    else if (bool !== undefined) tokens.push({ kind: 'bool', value: bool === 'True' });
    else if (mark !== undefined) tokens.push({ kind: 'mark', mark });
  }
  return tokens;
}

function unquote(quoted: string): string {
  return quoted.slice(1, -1).replace(/\\(.)/g, '$1');
}

function readLiteral(cursor: Cursor, depth: number): PythonLiteral | undefined {
  const token = cursor.tokens[cursor.next];
  if (token === undefined || depth > MAX_DEPTH) return undefined;
  cursor.next += 1;
  if (token.kind !== 'mark') return token;
  if (token.mark === '{') return readDict(cursor, depth);
  if (token.mark === '(') return readSequence(cursor, ')', depth);
  if (token.mark === '[') return readSequence(cursor, ']', depth);
  return undefined;
}

function readSequence(cursor: Cursor, close: string, depth: number): PythonLiteral | undefined {
  const items: PythonLiteral[] = [];
  while (!takeMark(cursor, close)) {
    if (items.length > 0 && !takeMark(cursor, ',')) return undefined;
    if (items.length > 0 && takeMark(cursor, close)) break;
    const item = readLiteral(cursor, depth + 1);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return { kind: 'sequence', items };
}

function readDict(cursor: Cursor, depth: number): PythonLiteral | undefined {
  const entries = new Map<string, PythonLiteral>();
  while (!takeMark(cursor, '}')) {
    if (entries.size > 0 && !takeMark(cursor, ',')) return undefined;
    if (entries.size > 0 && takeMark(cursor, '}')) break;
    const key = readLiteral(cursor, depth + 1);
    if (key?.kind !== 'string' || !takeMark(cursor, ':')) return undefined;
    const value = readLiteral(cursor, depth + 1);
    if (value === undefined || entries.has(key.value)) return undefined;
    entries.set(key.value, value);
  }
  return { kind: 'dict', entries };
}

function takeMark(cursor: Cursor, mark: string): boolean {
  const token = cursor.tokens[cursor.next];
  if (token?.kind !== 'mark' || token.mark !== mark) return false;
  cursor.next += 1;
  return true;
}
