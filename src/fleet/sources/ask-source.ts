import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';

/** No list of agents is so long, and nobody is to fill the memory of who asks for one. */
const MOST_BYTES = 32 * 1024 * 1024;

export interface SourceAccess {
  readonly timeoutMs: number;
  /** Shown to the source, never to the agents. */
  readonly token?: string;
}

/**
 * What something that lists agents answers; name and password may stand in its URL. Problems: `discovery-unreachable`, `discovery-refused` where it says
 * no.
 * @param what the source, in words
 */
export async function askSource(
  what: string,
  url: URL,
  { timeoutMs, token }: SourceAccess,
): Promise<Result<string, Problem>> {
  // `fetch` refuses credentials in URLs, which people have in their configuration.
  const plain = new URL(url);
  plain.username = '';
  plain.password = '';
  const basic = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const authorization =
    token !== undefined
      ? `Bearer ${token}`
      : url.username === ''
        ? undefined
        : `Basic ${Buffer.from(basic).toString('base64')}`;
  try {
    const answer = await fetch(plain, {
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        accept: 'application/json',
        ...(authorization === undefined ? {} : { authorization }),
      },
    });
    if (!answer.ok) {
      await answer.body?.cancel();
      return err(refused(what, plain, answer.status));
    }
    return await textOf(answer, what, plain);
  } catch (error) {
    return err(unreachable(what, plain, error, timeoutMs));
  }
}

async function textOf(answer: Response, what: string, url: URL): Promise<Result<string, Problem>> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of answer.body ?? []) {
    bytes += part.byteLength;
    if (bytes > MOST_BYTES) {
      const hint = 'is this the address of a list of agents?';
      return err(
        problem('discovery-refused', `${what} at ${url.href} answers with more than 32 MiB`, { hint }),
      );
    }
    parts.push(part);
  }
  return ok(Buffer.concat(parts).toString('utf8'));
}

export function refused(what: string, url: URL, status: number): Problem {
  const hint =
    status === 401 || status === 403
      ? 'it wants a credential, or another one: --sd-token-file'
      : 'is this its address?';
  return problem('discovery-refused', `${what} at ${url.href} answers ${status}`, { hint });
}

export function unreachable(what: string, url: URL, error: unknown, timeoutMs: number): Problem {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const isTimeout = error instanceof Error && error.name === 'TimeoutError';
  const said = cause instanceof Error ? cause.message || cause.name : String(cause);
  const reason = isTimeout ? `nothing came within ${timeoutMs / 1000} s` : said;
  return problem('discovery-unreachable', `${what} does not answer at ${url.href}: ${reason}`, {
    hint: 'see whether it runs and listens there',
  });
}

/** Problem: `discovery-malformed`. */
export function parseJson(text: string, what: string, url: URL): Result<unknown, Problem> {
  try {
    return ok(JSON.parse(text));
  } catch {
    return err(malformed(what, url, 'no JSON'));
  }
}

export function malformed(what: string, url: URL, found: string): Problem {
  const hint = 'is this its address?';
  return problem('discovery-malformed', `${what} was expected at ${url.href}, and its answer is ${found}`, {
    hint,
  });
}
