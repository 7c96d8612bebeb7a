import { type Problem, ProblemError, problem } from '../../core/problem.ts';

export type TokenizerProblem = Problem<
  'tokenizer-unreadable' | 'tokenizer-invalid' | 'tokenizer-unsupported' | 'tokenizer-settings-invalid'
>;

export type JsonObject = Readonly<Record<string, unknown>>;

/** A normalizer, pre-tokenizer, model or post-processor of a `tokenizer.json`. */
export interface TokenizerPart extends JsonObject {
  readonly type: string;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The part that a file has under a name, or null; throws a `ProblemError` where it is something else. */
export function readPart(value: unknown, name: string, file: string): TokenizerPart | null {
  if (value === undefined || value === null) return null;
  if (isObject(value) && typeof value['type'] === 'string') return value as TokenizerPart;
  throw invalidTokenizer(`'${name}' is not an object with a type`, file);
}

export function readParts(value: unknown, name: string, file: string): readonly TokenizerPart[] {
  if (!Array.isArray(value)) throw invalidTokenizer(`'${name}' is not a list`, file);
  return value.flatMap((part) => readPart(part, name, file) ?? []);
}

/** `{ String }` is a text, `{ Regex }` an expression in the syntax of Oniguruma; either as such an expression. */
export function readPattern({ type, pattern }: TokenizerPart, file: string): string {
  if (isObject(pattern)) {
    const { String: text, Regex: regex } = pattern;
    if (typeof regex === 'string') return regex;
    if (typeof text === 'string') return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  }
  throw invalidTokenizer(`the pattern of '${type}' is neither a text nor an expression`, file);
}

export function invalidTokenizer(message: string, file: string): ProblemError<TokenizerProblem['kind']> {
  return new ProblemError(
    problem('tokenizer-invalid', message, {
      place: { file },
      hint: 'name the tokenizer.json that was saved with the model',
    }),
  );
}

export function unsupportedTokenizer(what: string, file: string): ProblemError<TokenizerProblem['kind']> {
  return new ProblemError(
    problem('tokenizer-unsupported', `the tokenizer uses ${what}, which cannot be reproduced exactly`, {
      place: { file },
      hint: 'tokenize beforehand and give the ids as arrays, or write a data module',
    }),
  );
}
