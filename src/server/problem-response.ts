import type { FastifyReply } from 'fastify';
import type { Problem } from '../core/problem.ts';

/** The HTTP status of each kind of problem that a request can meet; what is not listed is this program's fault. */
const STATUS: Readonly<Record<string, number>> = {
  'invalid-request': 400,
  'foreign-host': 403,
  'foreign-origin': 403,
  'not-found': 404,
  'unknown-run': 404,
  'method-not-allowed': 405,
  'body-too-large': 413,
  'unsupported-media-type': 415,
  'unknown-model': 422,
  'unknown-variant': 422,
  'queue-full': 429,
};

/** Answers with RFC 9457 problem details. `errors` points into the request body. */
export function sendProblem(reply: FastifyReply, problems: readonly [Problem, ...Problem[]]): FastifyReply {
  const [first] = problems;
  const status = STATUS[first.kind] ?? 500;
  const errors = problems.flatMap(({ message, place }) =>
    place?.field === undefined ? [] : [{ detail: message, pointer: place.field }],
  );
  return reply
    .code(status)
    .type('application/problem+json')
    .send({
      type: `/problems/${first.kind}`,
      title: first.message,
      status,
      ...(first.hint === undefined ? {} : { detail: first.hint }),
      ...(errors.length === 0 ? {} : { errors }),
    });
}
