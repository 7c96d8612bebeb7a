import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ProblemError, problem } from '../../core/problem.ts';
import { showShort } from './own-answers.ts';
import type { OwnFunction } from './own-module.ts';

interface TypeByName {
  readonly boolean: boolean;
  readonly string: string;
  readonly function: OwnFunction;
}

/** Calls functions of a user's own module, whose faults are problems of the user's and not bugs. */
export interface OwnCaller {
  /** Throws a `ProblemError` of `task-module-failed` for what the function throws, and if it returns a promise. */
  call(name: string, own: OwnFunction, args: readonly unknown[], sample?: number): unknown;
  /** `call` for a function that must return a value of one type. */
  callFor<K extends keyof TypeByName>(
    type: K,
    name: string,
    own: OwnFunction,
    args: readonly unknown[],
  ): TypeByName[K];
  /** @param why completes "the function … of the module fails:" */
  failure(name: string, why: string, sample?: number, line?: number): ProblemError<'task-module-failed'>;
}

export function createCaller(path: string): OwnCaller {
  const failure: OwnCaller['failure'] = (name, why, sample, line) =>
    new ProblemError(
      problem('task-module-failed', `'${name}' of ${basename(path)} fails: ${why}`, {
        place: {
          file: path,
          ...(line === undefined ? {} : { line }),
          ...(sample === undefined ? {} : { sample }),
        },
        hint: 'correct the module',
      }),
    );

  const call: OwnCaller['call'] = (name, own, args, sample) => {
    let value: unknown;
    try {
      value = own(...args);
    } catch (error) {
      throw failure(
        name,
        error instanceof Error ? error.message : String(error),
        sample,
        lineOf(error, path),
      );
    }
    if (!isPromise(value)) return value;
    // Nobody waits for it, so its rejection must not end the process.
    value.then(undefined, () => undefined);
    throw failure(name, 'it returns a promise, but must return its value at once', sample);
  };

  return {
    call,
    failure,
    callFor: <K extends keyof TypeByName>(
      type: K,
      name: string,
      own: OwnFunction,
      args: readonly unknown[],
    ) => {
      const value = call(name, own, args);
      if (typeof value !== type) throw failure(name, `it returns ${showShort(value)}, not a ${type}`);
      return value as TypeByName[K];
    },
  };
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** The line of the module at which it failed, as the innermost frame of the stack that names the file tells. */
function lineOf(error: unknown, path: string): number | undefined {
  if (!(error instanceof Error) || error.stack === undefined) return undefined;
  const names = [`/${basename(path)}`, `/${basename(pathToFileURL(path).pathname)}`];
  for (const frame of error.stack.split('\n')) {
    for (const name of names) {
      const at = frame.lastIndexOf(name);
      // A module that was imported anew has a query behind its name.
      const [, line] = at === -1 ? [] : (/^(?:\?[^:]*)?:(\d+):\d+/.exec(frame.slice(at + name.length)) ?? []);
      if (line !== undefined) return Number(line);
    }
  }
  return undefined;
}
