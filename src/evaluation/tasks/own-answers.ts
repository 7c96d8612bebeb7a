/**
 * Whether two answers hold the same values: numbers, texts, arrays (typed ones, too) and plain objects, at any depth. NaN
 * is like nothing, as two NaN outputs are two failures and not an agreement.
 * @throws TypeError for other objects, which do not show what they hold
 */
export function areAlike(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a === b;
  if (isList(a)) return isList(b) && areListsAlike(a, b);
  if (isList(b)) return false;
  requirePlain(a);
  requirePlain(b);
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every(
      (key) =>
        Object.hasOwn(b, key) &&
        areAlike((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
    )
  );
}

const SHOWN_CHARACTERS = 80;
const SHOWN_ELEMENTS = 8;

/** Any value in a line: JSON, with the first elements of long arrays. */
export function showShort(value: unknown): string {
  const characters = [...toText(value)];
  if (characters.length <= SHOWN_CHARACTERS) return characters.join('');
  return `${characters.slice(0, SHOWN_CHARACTERS - 1).join('')}…`;
}

function toText(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, part: unknown) => readable(part)) ?? String(value);
  } catch {
    // An object that contains itself, or one whose toJSON fails.
    return Object.prototype.toString.call(value);
  }
}

function readable(part: unknown): unknown {
  if (typeof part === 'number') return Number.isFinite(part) ? part : String(part);
  if (typeof part === 'bigint') return String(part);
  if (!isList(part)) return part;
  const first = Array.from(part).slice(0, SHOWN_ELEMENTS);
  return part.length > SHOWN_ELEMENTS ? [...first, '…'] : first;
}

type List = ArrayLike<unknown> & Iterable<unknown>;

function isList(value: unknown): value is List {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function areListsAlike(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (!areAlike(a[i], b[i])) return false;
  return true;
}

function requirePlain(value: object): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return;
  throw new TypeError(`an answer holds a ${value.constructor.name}; export 'same' to compare such`);
}
