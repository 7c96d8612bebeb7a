import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';

export type TokenProblem = Problem<'token-exposed' | 'token-unreadable' | 'token-malformed'>;

const TOKEN_BYTES = 32;
/** `token68` of RFC 7235, long enough that nobody guesses it. */
const TOKEN = /^[A-Za-z0-9._~+/-]{20,}=*$/;

/**
 * The secret that allows to change something at the daemon, from a file that nobody but its owner may read. A file that
 * is not there is made, with a new secret. Errors: `token-exposed` where others may read it, `token-unreadable`,
 * `token-malformed`; none of them tells what is in it.
 */
export function openAccessToken(file: string): Result<string, TokenProblem> {
  try {
    createToken(file);
    const { mode } = statSync(file);
    if ((mode & 0o077) !== 0 && process.platform !== 'win32') {
      return err(
        problem(
          'token-exposed',
          `others can read the token of the daemon (mode ${(mode & 0o777).toString(8)})`,
          {
            place: { file },
            hint: `change that with: chmod 600 ${file} — and remove the file if it may have been read`,
          },
        ),
      );
    }
    return readAccessToken(file);
  } catch (error) {
    return unreadable(error, file);
  }
}

/** The secret of a daemon, for a program that asks it. Errors: `token-unreadable`, `token-malformed`. */
export function readAccessToken(file: string): Result<string, TokenProblem> {
  let token: string;
  try {
    token = readFileSync(file, 'utf8').trim();
  } catch (error) {
    return unreadable(error, file);
  }
  if (TOKEN.test(token)) return ok(token);
  return err(
    problem('token-malformed', 'the file holds no token', {
      place: { file },
      hint: 'it must be one line of at least 20 letters and digits; remove the file for the daemon to make one',
    }),
  );
}

/**
 * Appears with its content or not at all: a second daemon that comes at the same moment reads this one's, and one that is killed here
 * leaves nothing that the next could take for a token.
 */
function createToken(file: string): void {
  if (statSync(file, { throwIfNoEntry: false }) !== undefined) return;
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, `${randomBytes(TOKEN_BYTES).toString('base64url')}\n`, { mode: 0o600 });
    linkSync(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

function unreadable(error: unknown, file: string): Result<never, TokenProblem> {
  const reason = (error as NodeJS.ErrnoException).code ?? String(error);
  return err(
    problem('token-unreadable', `the token of the daemon cannot be read (${reason})`, {
      place: { file },
      hint: 'name a file that you may read with --token-file',
    }),
  );
}
