import { err, ok, type Result } from './result.ts';

/** Where a problem lies: only the parts that are known are set. */
export interface ProblemPlace {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** JSON-pointer-like path of a field in a settings file, such as `/bench/0/duration`. */
  readonly field?: string;
  readonly node?: string;
  readonly tensor?: string;
  /** Index of the sample in its split. */
  readonly sample?: number;
}

/**
 * An expected failure, as plain data that survives process boundaries and JSON.
 * `kind` is stable and machine-readable; `message` is a sentence for people; `hint` says what to do.
 */
export interface Problem<K extends string = string> {
  readonly kind: K;
  readonly message: string;
  readonly place?: ProblemPlace;
  readonly hint?: string;
}

export function problem<K extends string>(
  kind: K,
  message: string,
  more: { readonly place?: ProblemPlace; readonly hint?: string } = {},
): Problem<K> {
  return { kind, message, ...more };
}

/**
 * Carries a `Problem` up through code in which every step can fail (decoders, parsers).
 * It never leaves a room: the room's public functions turn it into a value with `attempt`.
 */
export class ProblemError<K extends string = string> extends Error {
  readonly problem: Problem<K>;

  constructor(problem: Problem<K>) {
    super(problem.message);
    this.name = 'ProblemError';
    this.problem = problem;
  }
}

/** Runs `action`; a thrown `ProblemError` becomes a value, anything else is a bug and goes on up. */
export function attempt<T, K extends string = string>(action: () => T): Result<T, Problem<K>> {
  try {
    return ok(action());
  } catch (error) {
    if (error instanceof ProblemError) return err(error.problem as Problem<K>);
    throw error;
  }
}

/** `attempt` for asynchronous actions. */
export async function attemptAsync<T, K extends string = string>(
  action: () => Promise<T>,
): Promise<Result<T, Problem<K>>> {
  try {
    return ok(await action());
  } catch (error) {
    if (error instanceof ProblemError) return err(error.problem as Problem<K>);
    throw error;
  }
}

/** One line or a few lines for a terminal: what, where, what to do. */
export function formatProblem(p: Problem): string {
  const { place } = p;
  const at =
    place?.file === undefined
      ? []
      : [
          `file: ${place.file}${place.line === undefined ? '' : `:${place.line}${place.column === undefined ? '' : `:${place.column}`}`}`,
        ];
  const parts = [
    ...at,
    ...(place?.field === undefined ? [] : [`field: ${place.field}`]),
    ...(place?.node === undefined ? [] : [`node: ${place.node}`]),
    ...(place?.tensor === undefined ? [] : [`tensor: ${place.tensor}`]),
    ...(place?.sample === undefined ? [] : [`sample: ${place.sample}`]),
    ...(p.hint === undefined ? [] : [`what to do: ${p.hint}`]),
  ];
  return [`${p.message} [${p.kind}]`, ...parts.map((part) => `  ${part}`)].join('\n');
}
