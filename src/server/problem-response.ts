import type { FastifyReply } from 'fastify';
import type { Problem } from '../core/problem.ts';

/** The HTTP status of each kind of problem that a request can meet; what is not listed is this program's fault. */
const STATUS: Readonly<Record<string, number>> = {
  'invalid-request': 400,
  unauthorized: 401,
  'foreign-certificate': 403,
  'foreign-host': 403,
  'foreign-origin': 403,
  'not-found': 404,
  'unknown-run': 404,
  'no-such-model': 404,
  'unknown-artifact': 404,
  'method-not-allowed': 405,
  'run-ended': 409,
  'body-too-large': 413,
  'unsupported-media-type': 415,
  'key-used-otherwise': 422,
  'unknown-model': 422,
  'unknown-variant': 422,
  'unknown-suite': 422,
  'unknown-column': 422,
  'too-many-columns': 422,
  'queue-full': 429,
  'too-many-readers': 429,
  'too-many-listeners': 429,
  'too-many-logins': 429,
  'rate-limited': 429,
  'store-not-written': 507,
};

/**
 * Answers with RFC 9457 problem details: `title` names the type of problem, `detail` says what happened this time,
 * `hint` what to do, and `errors` points to the fields of the request that are wrong.
 */
export function sendProblem(reply: FastifyReply, problems: readonly [Problem, ...Problem[]]): FastifyReply {
  const [{ kind, message, hint }] = problems;
  const status = STATUS[kind] ?? 500;
  const errors = problems.flatMap(({ message: detail, place, hint: advice }) =>
    place?.field === undefined
      ? []
      : [{ detail, pointer: place.field, ...(advice === undefined ? {} : { hint: advice }) }],
  );
  return reply
    .code(status)
    .type('application/problem+json')
    .send({
      type: `/problems/${kind}`,
      title: titleOf(kind),
      status,
      detail: message,
      ...(hint === undefined ? {} : { hint }),
      ...(errors.length === 0 ? {} : { errors }),
    });
}

/** `queue-full` → `Queue full`. */
function titleOf(kind: string): string {
  return (kind[0] ?? '').toUpperCase() + kind.slice(1).replaceAll('-', ' ');
}
