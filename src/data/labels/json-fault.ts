/** Where text stops being JSON, counted from 1 as editors do. */
interface JsonFault {
  readonly line: number;
  readonly column: number;
}

/** What may come next. */
type Expected = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end' | 'nothing';

type Brackets = ('{' | '[')[];

const TOKEN =
  /[ \t\n\r]*(?:([{}[\],:])|("(?:[^"\\]+|\\.)*")|(?:true|false|null)|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)/y;

/**
 * Finds the first token that breaks the grammar of RFC 8259, in text that `JSON.parse` has refused: its own messages
 * tell the place only for some faults, and not in all versions of Node.js.
 */
export function findJsonFault(text: string): JsonFault {
  const open: Brackets = [];
  let expected: Expected | undefined = 'value';
  let position = 0;
  for (;;) {
    TOKEN.lastIndex = position;
    const match = TOKEN.exec(text);
    const [, mark, quoted] = match ?? [];
    if (match === null || (quoted !== undefined && !isString(quoted))) break;
    expected = advance(expected, mark ?? (quoted === undefined ? 'literal' : 'string'), open);
    if (expected === undefined) break;
    position += match[0].length;
  }
  while (/[ \t\n\r]/.test(text.charAt(position))) position += 1;
  const before = text.slice(0, position);
  return { line: before.split('\n').length, column: position - before.lastIndexOf('\n') };
}

/** What may follow after a token, or undefined where the token may not stand. Keeps the open brackets up to date. */
function advance(expected: Expected, token: string, open: Brackets): Expected | undefined {
  if (token === ':') return expected === 'colon' ? 'value' : undefined;
  if (token === ',') return expected === 'comma-or-end' ? afterComma(open) : undefined;
  if (token === '}' || token === ']') {
    const matches = open.at(-1) === (token === '}' ? '{' : '[');
    if (!matches || !expected.endsWith('-or-end')) return undefined;
    open.pop();
    return afterValue(open);
  }
  if (token === 'string' && expected.startsWith('key')) return 'colon';
  if (!expected.startsWith('value')) return undefined;
  if (token !== '{' && token !== '[') return afterValue(open);
  open.push(token);
  return token === '{' ? 'key-or-end' : 'value-or-end';
}

function afterComma(open: Brackets): Expected {
  return open.at(-1) === '{' ? 'key' : 'value';
}

function afterValue(open: Brackets): Expected {
  return open.length === 0 ? 'nothing' : 'comma-or-end';
}

/** Whether something in quotes has only the escapes and characters that JSON allows. */
function isString(quoted: string): boolean {
  try {
    JSON.parse(quoted);
    return true;
  } catch {
    return false;
  }
}
