import { readParts, readPattern, type TokenizerPart, unsupportedTokenizer } from './tokenizer-parts.ts';

/**
 * Writes a pre-tokenizer in other words, so that @huggingface/tokenizers splits with them as the Rust library of the
 * same name does with the original. Most become a `Split` by an expression, which it translates with care, while its own
 * versions know ASCII letters and digits only, or join what must stay apart.
 * Throws a `ProblemError` of `tokenizer-unsupported` for pre-tokenizers that cannot be written so.
 */
export function alignPreTokenizer(part: TokenizerPart | null, file: string): TokenizerPart | null {
  if (part === null) return null;
  switch (part.type) {
    case 'Sequence':
      return sequence(
        readParts(part['pretokenizers'], 'pretokenizers', file).flatMap(
          (inner) => alignPreTokenizer(inner, file) ?? [],
        ),
      );
    case 'BertPreTokenizer':
      return keep(`[^\\s${PUNCTUATION}]+|[${PUNCTUATION}]`);
    case 'Whitespace':
      return keep(`[${WORD}]+|[^${WORD}\\s]+`);
    case 'WhitespaceSplit':
      return keep('\\S+');
    case 'Digits':
      return split(part['individual_digits'] === true ? '\\p{N}' : '\\p{N}+', 'Isolated', part, file);
    case 'Punctuation':
      return split(`[${PUNCTUATION}]`, part['behavior'] ?? 'Isolated', part, file);
    case 'CharDelimiterSplit':
      return split(
        readPattern({ type: part.type, pattern: { String: part['delimiter'] } }, file),
        'Removed',
        part,
        file,
      );
    case 'FixedLength':
      return keep(`[\\x{0}-\\x{10FFFF}]{1,${Number(part['length'] ?? 5)}}`);
    case 'Split': {
      const pattern = readPattern(part, file);
      if (part['invert'] !== true) return split(pattern, part['behavior'], part, file);
      if (isBehavior(part['behavior'], 'Removed')) return keep(pattern);
      return split(pattern, part['behavior'], part, file);
    }
    case 'ByteLevel':
      return byteLevel(part);
    case 'Metaspace':
      return metaspace(part, file);
    default:
      throw unsupportedTokenizer(`the pre-tokenizer '${part.type}'`, file);
  }
}

/** Punctuation of Unicode and all of ASCII that is neither letter nor digit. */
const PUNCTUATION = '\\p{P}\\x{21}-\\x{2F}\\x{3A}-\\x{40}\\x{5B}-\\x{60}\\x{7B}-\\x{7E}';

/** `\w` of Unicode's technical standard 18, which the Rust library's expressions follow. */
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200C}\\x{200D}';

/** How GPT-2 divides a text. */
const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

function sequence(pretokenizers: readonly TokenizerPart[]): TokenizerPart {
  return { type: 'Sequence', pretokenizers };
}

/** Keeps the matches alone. */
function keep(regex: string): TokenizerPart {
  return { type: 'Split', pattern: { Regex: regex }, behavior: 'Removed', invert: true };
}

function isBehavior(behavior: unknown, name: string): boolean {
  // Files write both `MergedWithNext` and `mergedwithnext`.
  return String(behavior).toLowerCase() === name.toLowerCase();
}

/** Divides at the matches of an expression; what becomes of these the behaviour says. */
function split(regex: string, behavior: unknown, part: TokenizerPart, file: string): TokenizerPart {
  const inverts = part['invert'] === true;
  const isolated = (pattern: string): TokenizerPart => ({
    type: 'Split',
    pattern: { Regex: pattern },
    behavior: 'Isolated',
    invert: false,
  });
  // Matches and what lies between are all kept, so it does not matter which is which.
  if (isBehavior(behavior, 'Isolated')) return isolated(regex);
  if (!inverts && isBehavior(behavior, 'Contiguous')) return isolated(`(?:${regex})+`);
  const between = `(?:(?!${regex})[\\x{0}-\\x{10FFFF}])`;
  if (!inverts && isBehavior(behavior, 'Removed')) return keep(`${between}+`);
  if (!inverts && isBehavior(behavior, 'MergedWithPrevious'))
    return keep(`${between}*(?:${regex})|${between}+`);
  if (!inverts && isBehavior(behavior, 'MergedWithNext')) return keep(`(?:${regex})${between}*|${between}+`);
  throw unsupportedTokenizer(
    `'${part.type}' with the behavior '${behavior}'${inverts ? ', inverted' : ''}`,
    file,
  );
}

function byteLevel(part: TokenizerPart): TokenizerPart {
  const bytes = { type: 'ByteLevel', add_prefix_space: false, use_regex: false };
  // A first character other than a space, and itself again; an empty match could fall between two surrogates.
  const prefix = { type: 'Replace', pattern: { Regex: '\\A[^ ]' }, content: ' $&' };
  return sequence([
    ...(part['add_prefix_space'] === false ? [] : [prefix]),
    ...(part['use_regex'] === false
      ? []
      : [{ type: 'Split', pattern: { Regex: GPT2 }, behavior: 'Isolated', invert: false }]),
    bytes,
  ]);
}

/** Spaces become a mark, and a piece begins at each of them. */
function metaspace(part: TokenizerPart, file: string): TokenizerPart {
  const replacement = String(part['replacement'] ?? '\u2581');
  // Files of before 2024 have a flag instead of a scheme.
  const scheme = part['prepend_scheme'] ?? (part['add_prefix_space'] === false ? 'never' : 'always');
  const marks = { type: 'Metaspace', replacement, prepend_scheme: scheme };
  if (part['split'] === false) return marks;
  const mark = readPattern({ type: part.type, pattern: { String: replacement } }, file);
  return sequence([marks, split(mark, 'MergedWithNext', { type: part.type }, file)]);
}
