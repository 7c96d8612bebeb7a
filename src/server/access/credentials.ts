import { createHash, timingSafeEqual } from 'node:crypto';
import { verify } from '@node-rs/bcrypt';
import { type Problem, problem } from '../../core/problem.ts';

/** What proves that somebody may use the daemon. */
export interface Credentials {
  readonly token: string;
  /** By name: hashes of bcrypt. */
  readonly users: ReadonlyMap<string, string>;
}

/** Looks at an `Authorization` header. Undefined where it is right; problems: `unauthorized`, `busy`. */
export type Authorizer = (authorization: string | undefined) => Promise<Problem | undefined>;

/** The name under which the token is a password, for browsers, which can ask for nothing else. */
const TOKEN_USER = 'token:';

/** What bcrypt would say of a password of somebody unknown takes as long as of somebody known. */
const NOBODY = '$2b$10$W/7DPmL3ej5NlQ9tLWa8geI7SSB1toyrwtJG5xXQ0uQydkxY.Y/8u';
const MOST_REMEMBERED = 100;
/** A verification takes 0.1 s of a thread that files and compression need, too. */
const MOST_WAITING = 16;

/**
 * Compares in constant time. Passwords are verified one after another, and those that were right are remembered, as digests
 * only, for their verification is slow by design and a scraper comes every few seconds.
 */
export function createAuthorizer({ token, users }: Credentials): Authorizer {
  const expected = digest(token);
  const remembered = new Set<string>();
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();

  const isPassword = (name: string, password: string): Promise<boolean> => {
    const hash = users.get(name);
    const attempt = last
      .then(() => verify(password, hash ?? NOBODY))
      .then((same) => same && hash !== undefined);
    last = attempt.catch(() => {});
    return attempt;
  };

  const isToken = (value: string) => timingSafeEqual(digest(value), expected);

  const isUser = async (text: string): Promise<boolean | undefined> => {
    const colon = text.indexOf(':');
    if (colon < 0) return false;
    const key = digest(text).toString('base64');
    if (remembered.has(key)) return true;
    if (waiting >= MOST_WAITING) return undefined;
    waiting += 1;
    try {
      const isRight = await isPassword(text.slice(0, colon), text.slice(colon + 1));
      if (isRight) {
        if (remembered.size >= MOST_REMEMBERED) remembered.clear();
        remembered.add(key);
      }
      return isRight;
    } finally {
      waiting -= 1;
    }
  };

  return async (authorization) => {
    const [scheme = '', value = ''] = (authorization ?? '').split(' ', 2);
    switch (scheme.toLowerCase()) {
      case 'bearer':
        return isToken(value) ? undefined : unauthorized('the token is not the right one');
      case 'basic': {
        const text = Buffer.from(value, 'base64').toString('utf8');
        if (text.startsWith(TOKEN_USER) && isToken(text.slice(TOKEN_USER.length))) return undefined;
        const isRight = users.size > 0 && (await isUser(text));
        if (isRight === undefined)
          return problem('too-many-logins', 'too many passwords are being verified', {
            hint: 'try again in a moment',
          });
        return isRight ? undefined : unauthorized('the name or the password is not right');
      }
      case '':
        return unauthorized('this needs a token');
      default:
        return unauthorized('the authorization is of a kind that is not known here');
    }
  };
}

function unauthorized(message: string): Problem {
  return problem('unauthorized', message, {
    hint: "send the header 'authorization: Bearer TOKEN', with the token from the file that the daemon names in its log when it starts",
  });
}

/** Of one length whatever the secret, as comparing in constant time needs. */
function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
