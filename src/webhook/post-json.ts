import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { asError } from '../core/as-error.ts';

/** Where to send, with what has to be secret. */
export interface WebhookTarget {
  readonly url: string;
  readonly token?: string;
  /** Certificates of authorities to trust instead of the system's, in PEM. */
  readonly ca?: string;
}

export interface PostOutcome {
  /** `refused`: sending the same again would be refused again. */
  readonly kind: 'sent' | 'failed' | 'refused';
  readonly status?: number;
  /** Why not, without anything that is secret. */
  readonly reason?: string;
}

const TIMEOUT_MS = 10_000;
/** Refusals that may end by themselves: too slow, too early, too many. */
const PASSING = new Set([408, 425, 429]);

/**
 * Sends a body once. Certificates are verified; redirects are not followed, as nobody configured where they lead, and no proxy of the
 * environment is asked. What is answered is not read.
 */
export function postJson(
  { url, token, ca }: WebhookTarget,
  body: string,
  timeoutMs = TIMEOUT_MS,
): Promise<PostOutcome> {
  return new Promise((resolve) => {
    const to = new URL(url);
    const send = to.protocol === 'https:' ? requestHttps : requestHttp;
    const asked = send(
      to,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'ptq-agent',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        // A connection of its own, that nothing keeps open.
        agent: false,
        ...(ca === undefined ? {} : { ca }),
        signal: AbortSignal.timeout(timeoutMs),
      },
      (answer) => {
        const { statusCode = 0 } = answer;
        answer.destroy();
        resolve(outcomeOf(statusCode));
      },
    );
    asked.on('error', (error) => resolve({ kind: 'failed', reason: reasonOf(error, timeoutMs) }));
    asked.end(body);
  });
}

function outcomeOf(status: number): PostOutcome {
  if (status >= 200 && status < 300) return { kind: 'sent', status };
  if (status >= 300 && status < 400)
    return { kind: 'refused', status, reason: `it answered ${status}, and redirects are not followed` };
  const isPassing = status >= 500 || status === 0 || PASSING.has(status);
  return { kind: isPassing ? 'failed' : 'refused', status, reason: `it answered ${status}` };
}

/** A code where there is one: a message may hold the address, and with it a secret. */
function reasonOf(thrown: unknown, timeoutMs: number): string {
  const error = asError(thrown);
  if (error.name === 'TimeoutError' || error.name === 'AbortError')
    return `no answer within ${timeoutMs / 1000} s`;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
