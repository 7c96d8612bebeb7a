import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { ProblemError, problem } from '../core/problem.ts';
import type { Task } from '../evaluation/task.ts';
import { createTask, type TaskSettings } from '../evaluation/tasks/create-task.ts';
import { unwrap } from './unwrap.ts';

/**
 * The task of an evaluation: one of the known ones, or a module of the user's own. Undefined where outputs are compared as
 * numbers. Throws `ProblemError`. Runs in a worker process alone, as a user's module may do anything.
 */
export async function openTask(
  task: TaskSettings,
  outputs: readonly string[],
): Promise<Task<unknown> | undefined> {
  if (task.module !== undefined) return openOwnTask(task.module);
  const { vocabulary } = task.settings;
  if (typeof vocabulary !== 'string') return unwrap(await createTask(task, outputs));
  const settings = { ...task.settings, vocabulary: await readVocabulary(vocabulary) };
  return unwrap(await createTask({ ...task, settings }, outputs));
}

async function openOwnTask(path: string): Promise<Task<unknown>> {
  const { adaptOwnTask } = await import('../evaluation/tasks/own-task.ts');
  let exported: unknown;
  try {
    exported = await import(pathToFileURL(path).href);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ProblemError(
      problem('task-module-invalid', `the module of the task cannot be loaded: ${reason}`, {
        place: { file: path },
        hint: 'write an ES module (.mjs)',
      }),
    );
  }
  return unwrap(adaptOwnTask(exported, path));
}

/** One token a line, or JSON: a list of tokens, or an object that gives each token its position. */
async function readVocabulary(path: string): Promise<readonly string[]> {
  const invalid = (message: string) =>
    new ProblemError(
      problem('vocabulary-invalid', message, {
        place: { file: path },
        hint: 'one token a line, or JSON: ["<pad>", "a", …] or { "<pad>": 0, "a": 1, … }',
      }),
    );
  let text: string;
  try {
    // Some editors put a mark before the first token.
    text = (await readFile(path, 'utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw invalid(`the vocabulary cannot be read (${code})`);
  }
  const tokens = path.endsWith('.json')
    ? tokensOfJson(text, invalid)
    : text.replace(/\r?\n$/, '').split(/\r?\n/);
  if (tokens.length < 2) throw invalid(`the vocabulary holds ${tokens.length} tokens, which tell nothing`);
  return tokens;
}

function tokensOfJson(text: string, invalid: (message: string) => Error): readonly string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`the vocabulary is not valid JSON: ${(error as Error).message}`);
  }
  if (Array.isArray(value)) {
    const other = value.findIndex((token) => typeof token !== 'string');
    if (other < 0) return value as readonly string[];
    throw invalid(`entry ${other} of the vocabulary is ${JSON.stringify(value[other])}, not a text`);
  }
  if (typeof value !== 'object' || value === null)
    throw invalid('the vocabulary is neither a list nor an object');
  const entries: readonly (readonly [string, unknown])[] = Object.entries(value);
  const tokens: string[] = new Array(entries.length);
  for (const [token, position] of entries) {
    if (typeof position !== 'number' || !Number.isInteger(position) || position < 0) {
      throw invalid(`the position of the token '${token}' is ${JSON.stringify(position)}`);
    }
    if (position >= entries.length) {
      throw invalid(
        `the position of the token '${token}' is ${position}, but there are ${entries.length} tokens`,
      );
    }
    if (tokens[position] !== undefined) {
      throw invalid(`the tokens '${tokens[position]}' and '${token}' have one position, ${position}`);
    }
    tokens[position] = token;
  }
  return tokens;
}
