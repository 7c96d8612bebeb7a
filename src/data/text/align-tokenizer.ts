import { alignNormalizer } from './align-normalizer.ts';
import { alignPreTokenizer } from './align-pre-tokenizer.ts';
import {
  invalidTokenizer,
  isObject,
  type JsonObject,
  readPart,
  readParts,
  type TokenizerPart,
  unsupportedTokenizer,
} from './tokenizer-parts.ts';

/** What @huggingface/tokenizers is made of: the parts of a `tokenizer.json`, and settings beside them. */
export interface AlignedTokenizer {
  readonly tokenizer: JsonObject;
  readonly config: JsonObject;
}

/**
 * Checks a parsed `tokenizer.json` and writes it so that @huggingface/tokenizers encodes as the Rust library of the same
 * name, which Python uses, does. What it would do otherwise without saying so is refused.
 * Throws a `ProblemError` of `tokenizer-invalid` or `tokenizer-unsupported`.
 */
export function alignTokenizer(json: unknown, file: string): AlignedTokenizer {
  if (!isObject(json) || !isObject(json['model'])) {
    throw invalidTokenizer('this is not a tokenizer: it has no model', file);
  }
  const addedTokens = checkAddedTokens(json['added_tokens'] ?? [], file);
  const model = alignModel(json['model'], file);
  const idOf = idLookup(model, addedTokens);
  const unknown = model['unk_token'];
  if (model.type !== 'Unigram' && typeof unknown === 'string' && idOf(unknown) === undefined) {
    throw invalidTokenizer(`the token for unknown words, '${unknown}', is not in the vocabulary`, file);
  }
  const postProcessor = readPart(json['post_processor'], 'post_processor', file);
  checkPostProcessor(postProcessor, idOf, file);
  return {
    tokenizer: {
      normalizer: alignNormalizer(readPart(json['normalizer'], 'normalizer', file), file),
      pre_tokenizer: alignPreTokenizer(readPart(json['pre_tokenizer'], 'pre_tokenizer', file), file),
      model,
      post_processor: postProcessor,
      // Nothing is turned back into text here.
      decoder: null,
      added_tokens: addedTokens,
    },
    // Models by whole words look for it here; everything else in a tokenizer_config.json is not for this library.
    config: typeof unknown === 'string' ? { unk_token: unknown } : {},
  };
}

interface AddedToken extends JsonObject {
  readonly id: number;
  readonly content: string;
}

function checkAddedTokens(tokens: unknown, file: string): readonly AddedToken[] {
  if (!Array.isArray(tokens)) throw invalidTokenizer("'added_tokens' is not a list", file);
  for (const token of tokens) {
    if (!isObject(token) || typeof token['content'] !== 'string' || !Number.isInteger(token['id'])) {
      throw invalidTokenizer('an added token has no content or no id', file);
    }
    if (token['single_word'] === true) {
      throw unsupportedTokenizer(
        `the added token '${token['content']}', which must be a word of its own`,
        file,
      );
    }
  }
  return tokens as readonly AddedToken[];
}

function alignModel(model: JsonObject, file: string): TokenizerPart {
  const { vocab } = model;
  const type = typeof model['type'] === 'string' ? model['type'] : guessType(model);
  if (type === 'Unigram') return checkUnigram({ ...model, type }, file);
  if (!['BPE', 'WordPiece', 'WordLevel'].includes(type))
    throw unsupportedTokenizer(`the model '${type}'`, file);
  if (!isObject(vocab)) throw invalidTokenizer('the model has no vocabulary', file);
  if (type === 'BPE') return checkBpe({ ...model, type }, file);
  const unknown = { unk_token: model['unk_token'] ?? (type === 'WordPiece' ? '[UNK]' : '<unk>') };
  if (type === 'WordLevel') return { type: 'Legacy', vocab, ...unknown };
  return { continuing_subword_prefix: '##', max_input_chars_per_word: 100, ...model, type, ...unknown };
}

function checkUnigram(model: TokenizerPart, file: string): TokenizerPart {
  if (!Array.isArray(model['vocab']))
    throw invalidTokenizer('the vocabulary of the model is not a list', file);
  if (!Number.isInteger(model['unk_id'])) {
    throw unsupportedTokenizer("'Unigram' without a token for unknown words", file);
  }
  if (model['byte_fallback'] === true)
    throw unsupportedTokenizer("'Unigram' with bytes for unknown words", file);
  return model;
}

function checkBpe(model: TokenizerPart, file: string): TokenizerPart {
  if (!Array.isArray(model['merges'])) throw invalidTokenizer("the model 'BPE' has no list of merges", file);
  if (Number(model['dropout'] ?? 0) > 0)
    throw unsupportedTokenizer("'BPE' with dropout, which is random", file);
  if ((model['continuing_subword_prefix'] ?? '') !== '') {
    throw unsupportedTokenizer("'BPE' with a prefix for the parts of words", file);
  }
  return model;
}

/** Files of the first years do not name the type. */
function guessType(model: JsonObject): string {
  if (Array.isArray(model['vocab'])) return 'Unigram';
  if ('merges' in model) return 'BPE';
  return 'continuing_subword_prefix' in model ? 'WordPiece' : 'WordLevel';
}

function idLookup(model: TokenizerPart, addedTokens: readonly AddedToken[]): (token: string) => unknown {
  const added = new Map(addedTokens.map(({ content, id }) => [content, id]));
  const { vocab } = model;
  if (Array.isArray(vocab)) {
    const ids = new Map(vocab.map((entry: unknown, id) => [Array.isArray(entry) ? entry[0] : undefined, id]));
    return (token) => added.get(token) ?? ids.get(token);
  }
  const ids = vocab as JsonObject;
  return (token) => added.get(token) ?? (Object.hasOwn(ids, token) ? ids[token] : undefined);
}

/** The JavaScript library looks special tokens up by their text, the Rust library takes the ids that stand here. */
function checkPostProcessor(
  part: TokenizerPart | null,
  idOf: (token: string) => unknown,
  file: string,
): void {
  for (const [token, id] of specialTokens(part, file)) {
    const known = idOf(token);
    if (known === id) continue;
    const stands = known === undefined ? 'is not in the vocabulary' : `has the id ${known} in the vocabulary`;
    throw invalidTokenizer(`the special token '${token}' (${id}) ${stands}`, file);
  }
}

function specialTokens(part: TokenizerPart | null, file: string): readonly (readonly [string, unknown])[] {
  switch (part?.type) {
    case 'Sequence':
      return readParts(part['processors'], 'processors', file).flatMap((inner) => specialTokens(inner, file));
    case 'BertProcessing':
    case 'RobertaProcessing':
      return [part['sep'], part['cls']].map((pair) => {
        if (!Array.isArray(pair) || typeof pair[0] !== 'string') {
          throw invalidTokenizer(`'${part.type}' has no special tokens`, file);
        }
        return [pair[0], pair[1]] as const;
      });
    case 'TemplateProcessing':
      return Object.entries(isObject(part['special_tokens']) ? part['special_tokens'] : {}).map(
        ([name, token]) => {
          const ids = isObject(token) ? token['ids'] : undefined;
          if (Array.isArray(ids) && ids.length === 1) return [name, ids[0]] as const;
          throw unsupportedTokenizer(`the special token '${name}', which stands for several`, file);
        },
      );
    default:
      return [];
  }
}
