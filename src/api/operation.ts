import type { TObject, TSchema } from 'typebox';
import type { ProblemType } from './problem-types.ts';

/** What an operation is about, in the order in which a reader meets them. */
export const TAGS = {
  models: 'Registered models, their variants, how they fared',
  runs: 'Runs: to order, follow, cancel and read them',
  host: 'The host and the daemon itself',
  docs: 'What the API is',
} as const;

/** Everything that the API description says of an operation, and that requests to it are checked by. */
export interface Operation {
  /** A verb and its object, such as `getRun`: the name that clients know it by. */
  readonly id: string;
  readonly tag: keyof typeof TAGS;
  /** A phrase. */
  readonly summary: string;
  /** Sentences with what the summary leaves open. */
  readonly description?: string;
  /** It makes the host work, so that it needs a credential even where it is a GET. */
  readonly startsWork?: true;
  readonly query?: TObject;
  readonly headers?: TObject;
  readonly body?: TSchema;
  /** By status. Answers that are problems are named in `problems`. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** What it can answer besides the problems that every operation can. */
  readonly problems?: readonly ProblemType[];
}

/** An answer of an operation. */
export interface Answer {
  readonly description: string;
  /** By media type; null for bytes. Absent where the answer has no body. */
  readonly content?: Readonly<Record<string, TSchema | null>>;
  /** By name: what it says. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that is JSON. */
export function json(schema: TSchema, description: string, headers?: Answer['headers']): Answer {
  return {
    description,
    content: { 'application/json': schema },
    ...(headers === undefined ? {} : { headers }),
  };
}
