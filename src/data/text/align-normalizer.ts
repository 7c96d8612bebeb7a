import {
  invalidTokenizer,
  isObject,
  readParts,
  readPattern,
  type TokenizerPart,
  unsupportedTokenizer,
} from './tokenizer-parts.ts';

/**
 * Writes a normalizer in other words, so that @huggingface/tokenizers computes with them what the Rust library of the
 * same name computes with the original. The two differ in JavaScript's own ideas of white space, lower case and
 * replacement texts, and in characters outside of the basic plane.
 * Throws a `ProblemError` of `tokenizer-unsupported` for normalizers that cannot be written so.
 */
export function alignNormalizer(part: TokenizerPart | null, file: string): TokenizerPart | null {
  if (part === null) return null;
  switch (part.type) {
    case 'Sequence':
      return sequence(
        readParts(part['normalizers'], 'normalizers', file).flatMap(
          (inner) => alignNormalizer(inner, file) ?? [],
        ),
      );
    case 'BertNormalizer':
      return bertNormalizer(part);
    case 'Lowercase':
      return LOWERCASE;
    case 'Strip':
      return sequence([
        ...(part['strip_left'] === false ? [] : [replace('\\A\\s+', '')]),
        // The first white space of the last run, so that runs inside are not tried at each of their characters.
        ...(part['strip_right'] === false ? [] : [replace('(?<!\\s)\\s+\\z', '')]),
      ]);
    case 'Replace':
      return alignReplace(part, file);
    case 'Nmt':
    case 'ByteLevel':
      throw unsupportedTokenizer(`the normalizer '${part.type}'`, file);
    default:
      return part;
  }
}

function sequence(normalizers: readonly TokenizerPart[]): TokenizerPart {
  return { type: 'Sequence', normalizers };
}

function replace(regex: string, content: string): TokenizerPart {
  return { type: 'Replace', pattern: { Regex: regex }, content };
}

/** A capital sigma at the end of a word has a small form of its own only where a whole text is lowered at once. */
const LOWERCASE = sequence([replace('\u03a3', '\u03c3'), { type: 'Lowercase' }]);

/** The blocks of ideographs that BERT puts spaces around. Source: BERT, `tokenization.py`. */
const IDEOGRAPHS = [
  '\\x{4E00}-\\x{9FFF}',
  '\\x{3400}-\\x{4DBF}',
  '\\x{20000}-\\x{2A6DF}',
  '\\x{2A700}-\\x{2B73F}',
  '\\x{2B740}-\\x{2B81F}',
  '\\x{2B920}-\\x{2CEAF}',
  '\\x{F900}-\\x{FAFF}',
  '\\x{2F800}-\\x{2FA1F}',
].join('');

function bertNormalizer(part: TokenizerPart): TokenizerPart {
  const isOn = (name: string): boolean => part[name] !== false;
  const lowers = isOn('lowercase');
  const stripsAccents = part['strip_accents'] ?? lowers;
  return sequence([
    ...(isOn('clean_text')
      ? [replace('[\\x{0}\\x{FFFD}]|(?![\\t\\n\\r])[\\p{Cc}\\p{Cf}\\p{Co}\\p{Cs}]', ''), replace('\\s', ' ')]
      : []),
    ...(isOn('handle_chinese_chars')
      ? [replace(`(?=[${IDEOGRAPHS}])`, ' '), replace(`(?<=[${IDEOGRAPHS}])`, ' ')]
      : []),
    ...(stripsAccents === true ? [{ type: 'NFD' }, replace('\\p{Mn}', '')] : []),
    ...(lowers ? [LOWERCASE] : []),
  ]);
}

/** JavaScript gives `$` a meaning in what a match is replaced with. */
function alignReplace(part: TokenizerPart, file: string): TokenizerPart {
  const { content, pattern } = part;
  if (typeof content !== 'string' || !isObject(pattern)) {
    throw invalidTokenizer("a 'Replace' has no pattern or no content", file);
  }
  return replace(readPattern(part, file), content.replaceAll('$', '$$$$'));
}
