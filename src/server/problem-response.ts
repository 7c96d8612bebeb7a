import type { FastifyReply } from 'fastify';
import { isProblemType, PROBLEM_TYPES, problemPath, problemTitle } from '../api/problem-types.ts';
import type { Problem } from '../core/problem.ts';
import { redactSecrets } from '../core/redact.ts';
import { API_VERSION, VERSION_HEADER } from './openapi/api-version.ts';

/**
 * Answers with RFC 9457 problem details: `title` names the type of problem, `detail` says what happened this time,
 * `hint` what to do, and `errors` points to the fields of the request that are wrong. A kind that is not a type of the API's is this
 * program's fault.
 */
export function sendProblem(reply: FastifyReply, problems: readonly [Problem, ...Problem[]]): FastifyReply {
  const [{ kind, message, hint }] = problems;
  const errors = problems.flatMap(({ message: detail, place, hint: advice }) =>
    place?.field === undefined
      ? []
      : [{ detail, pointer: place.field, ...(advice === undefined ? {} : { hint: advice }) }],
  );
  return sendProblemDetails(reply, { kind, message, ...(hint === undefined ? {} : { hint }) }, errors);
}

/** A field that is wrong, of a request or of a file. */
export interface WrongField {
  readonly detail: string;
  readonly pointer: string;
  readonly hint?: string;
  readonly file?: string;
  readonly line?: number;
}

export function sendProblemDetails(
  reply: FastifyReply,
  { kind, message, hint }: Problem,
  errors: readonly WrongField[],
): FastifyReply {
  const type = isProblemType(kind) ? kind : 'internal-fault';
  const { status } = PROBLEM_TYPES[type];
  return (
    reply
      .code(status)
      .type('application/problem+json')
      // A path that cannot be read is answered before any hook.
      .header(VERSION_HEADER, API_VERSION)
      .send({
        type: problemPath(type),
        title: problemTitle(type),
        status,
        // It may say again what somebody sent: an answer ends up in logs of others.
        detail: redactSecrets(message),
        ...(hint === undefined ? {} : { hint }),
        ...(errors.length === 0
          ? {}
          : { errors: errors.map((wrong) => ({ ...wrong, detail: redactSecrets(wrong.detail) })) }),
      })
  );
}
