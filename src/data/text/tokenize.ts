import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import type { TokenizeSpec } from '../../core/data-spec.ts';
import { attemptAsync, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { systemReason } from '../regular-file.ts';
import { alignTokenizer } from './align-tokenizer.ts';
import {
  invalidTokenizer,
  isObject,
  type JsonObject,
  type TokenizerProblem,
  unsupportedTokenizer,
} from './tokenizer-parts.ts';

/** One text as a model takes it: three arrays of equal length. */
export interface TextEncoding {
  readonly ids: BigInt64Array;
  /** 1 for tokens, 0 for padding. */
  readonly attentionMask: BigInt64Array;
  readonly typeIds: BigInt64Array;
}

export interface TextTokenizer {
  /** Never fails: what the vocabulary does not hold becomes the token for unknown words. */
  encode(text: string): TextEncoding;
}

type Side = 'left' | 'right';

interface Padding {
  readonly id: number;
  readonly typeId: number;
  readonly side: Side;
}

/**
 * Reads a `tokenizer.json` of the models BPE, WordPiece, Unigram or WordLevel. Special tokens are added as its
 * post-processor says. A text that is too long is cut before they are added, so that they stay; a text that is too short
 * is filled up where that is asked for. What the file itself says about lengths is not used, as in the package
 * transformers; which side is cut or filled, and with what, is taken from it or from a `tokenizer_config.json` beside it.
 *
 * Ids are those of the Rust library that Python uses, but for two things: a `Precompiled` normalizer is taken for the
 * NFKC with white space made plain that it nearly is, and marks, punctuation and letters that came into Unicode after
 * about 2017 may be classed otherwise, as the Rust library has older tables.
 *
 * Errors: `tokenizer-unreadable`; `tokenizer-invalid` for what is no tokenizer; `tokenizer-unsupported` for parts that
 * would give other ids than in Python; `tokenizer-settings-invalid`, such as padding without a length.
 */
export function openTokenizer(spec: TokenizeSpec): Promise<Result<TextTokenizer, TokenizerProblem>> {
  return attemptAsync(() => readTokenizer(spec));
}

async function readTokenizer({ tokenizer: file, maxLength, padding }: TokenizeSpec): Promise<TextTokenizer> {
  const pads = padding === 'max-length';
  checkSettings(maxLength, pads, file);
  const json = await readJson(file);
  const aligned = alignTokenizer(json, file);
  const tokenizer = create(aligned.tokenizer, aligned.config, file);
  const config = await readConfig(join(dirname(file), 'tokenizer_config.json'));
  const specials = tokenizer.post_processor?.post_process([], null, true).tokens.length ?? 0;
  if (maxLength !== undefined && maxLength < specials) {
    throw badSettings(`${maxLength} tokens have no room for the ${specials} special tokens`, file);
  }
  const own = isObject(json) ? json : {};
  return createTextTokenizer(tokenizer, {
    textLength: maxLength === undefined ? undefined : maxLength - specials,
    cuts: sideOf('truncation', config, own),
    padsTo: pads ? maxLength : undefined,
    padding: pads ? findPadding(tokenizer, config, own, file) : undefined,
  });
}

interface Lengths {
  /** Tokens of the text itself that are kept at most. */
  readonly textLength: number | undefined;
  readonly cuts: Side;
  readonly padsTo: number | undefined;
  readonly padding: Padding | undefined;
}

function createTextTokenizer(tokenizer: Tokenizer, lengths: Lengths): TextTokenizer {
  const { textLength, cuts, padsTo, padding = { id: 0, typeId: 0, side: 'right' } } = lengths;
  const unknownId = tokenizer.model?.unk_token_id ?? 0;
  return {
    encode: (text) => {
      const cut = cutTo(tokenizer.tokenize(text), textLength, cuts);
      const processed = tokenizer.post_processor?.post_process(cut, null, true);
      const tokens = processed?.tokens ?? cut;
      const types = processed?.token_type_ids;
      const length = Math.max(tokens.length, padsTo ?? 0);
      const start = padding.side === 'left' ? length - tokens.length : 0;
      const ids = new BigInt64Array(length).fill(BigInt(padding.id));
      const attentionMask = new BigInt64Array(length);
      const typeIds = new BigInt64Array(length).fill(BigInt(padding.typeId));
      for (let i = 0; i < tokens.length; i += 1) {
        ids[start + i] = BigInt(tokenizer.token_to_id(tokens[i] as string) ?? unknownId);
        attentionMask[start + i] = 1n;
        typeIds[start + i] = BigInt(types?.[i] ?? 0);
      }
      return { ids, attentionMask, typeIds };
    },
  };
}

function cutTo(tokens: string[], length: number | undefined, side: Side): string[] {
  if (length === undefined || tokens.length <= length) return tokens;
  return side === 'right' ? tokens.slice(0, length) : tokens.slice(tokens.length - length);
}

function create(tokenizer: JsonObject, config: JsonObject, file: string): Tokenizer {
  try {
    return new Tokenizer(tokenizer, config);
  } catch (error) {
    // The library says what it does not know by errors of no class of their own.
    throw unsupportedTokenizer(`something that is not known (${(error as Error).message})`, file);
  }
}

function checkSettings(maxLength: number | undefined, pads: boolean, file: string): void {
  if (maxLength === undefined) {
    if (pads) throw badSettings('texts can be filled up only to a length that is given', file);
  } else if (!(Number.isSafeInteger(maxLength) && maxLength > 0)) {
    throw badSettings(`the length of texts must be a positive integer, not ${maxLength}`, file);
  }
}

function sideOf(what: 'padding' | 'truncation', config: JsonObject, own: JsonObject): Side {
  const settings = own[what];
  const side = config[`${what}_side`] ?? (isObject(settings) ? settings['direction'] : undefined);
  return String(side).toLowerCase() === 'left' ? 'left' : 'right';
}

function findPadding(tokenizer: Tokenizer, config: JsonObject, own: JsonObject, file: string): Padding {
  const settings = isObject(own['padding']) ? own['padding'] : {};
  const typeId = Number(settings['pad_type_id'] ?? 0);
  const side = sideOf('padding', config, own);
  if (Number.isSafeInteger(settings['pad_id'])) return { id: Number(settings['pad_id']), typeId, side };
  const named = config['pad_token'];
  const names = [isObject(named) ? named['content'] : named, '[PAD]', '<pad>'];
  for (const name of names) {
    const id = typeof name === 'string' ? tokenizer.token_to_id(name) : undefined;
    if (id !== undefined) return { id, typeId, side };
  }
  throw badSettings('the tokenizer has no token to fill texts up with', file);
}

async function readConfig(file: string): Promise<JsonObject> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw unreadable(error, file);
  });
  const config = parseJson(text, file);
  if (!isObject(config)) throw invalidTokenizer('the settings of the tokenizer are not an object', file);
  return config;
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw unreadable(error, file);
  });
  return parseJson(text, file);
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalidTokenizer(`this is not JSON: ${(error as Error).message}`, file);
  }
}

function unreadable(error: unknown, file: string): ProblemError {
  return new ProblemError(
    problem('tokenizer-unreadable', `the tokenizer cannot be read: ${systemReason(error)}`, {
      place: { file },
      hint: 'name the tokenizer.json that was saved with the model',
    }),
  );
}

function badSettings(message: string, file: string): ProblemError {
  return new ProblemError(
    problem('tokenizer-settings-invalid', message, {
      place: { file },
      hint: "set 'maxLength' to the length that the model was trained with, 'padding' to 'none' or 'max-length'",
    }),
  );
}
