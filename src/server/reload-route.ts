import type { FastifyInstance } from 'fastify';
import { json } from '../api/operation.ts';
import { ReloadStatusSchema } from '../api/reload-schema.ts';
import { type Problem, problem } from '../core/problem.ts';
import { redactSecrets } from '../core/redact.ts';
import type { Reloader, ReloadStatus } from '../jobs/reload/reloader.ts';
import { describe } from './openapi/describe.ts';
import { sendProblemDetails, type WrongField } from './problem-response.ts';

const StatusOperation = describe({
  id: 'getReloadStatus',
  tag: 'host',
  summary: 'How the last attempt to take up settings and profiles ended',
  answers: { 200: json(ReloadStatusSchema, 'What is in use since when, and what is wrong with what is not') },
});

const ReloadOperation = describe({
  id: 'reload',
  tag: 'host',
  summary: 'Takes up settings and profiles, all of them or nothing',
  description: 'What SIGHUP does, and what happens by itself a second after a file was changed.',
  answers: { 200: json(ReloadStatusSchema, 'They are in use') },
  problems: ['config-refused'],
});

/** `GET` and `POST /-/reload`. */
export function addReload(
  app: FastifyInstance,
  reloader: Pick<Reloader<unknown>, 'reload' | 'status'>,
): void {
  app.get('/-/reload', StatusOperation, async () => statusResource(reloader.status));
  app.post('/-/reload', ReloadOperation, async (_request, reply) => {
    const status = await reloader.reload('request');
    if (status.successful) return statusResource(status);
    const message = `${status.problems.length} of its parts cannot be used`;
    const hint = 'correct them and ask again; until then everything stays as it was';
    return sendProblemDetails(
      reply,
      problem('config-refused', message, { hint }),
      status.problems.map(wrongField),
    );
  });
}

function statusResource({ attemptedMs, succeededMs, problems, ...status }: ReloadStatus) {
  return {
    ...status,
    problems: problems.map((found) => ({ ...found, message: redactSecrets(found.message) })),
    attemptedAt: new Date(attemptedMs).toISOString(),
    ...(succeededMs === undefined ? {} : { succeededAt: new Date(succeededMs).toISOString() }),
  };
}

function wrongField({
  message: detail,
  place: { field: pointer = '', file, line } = {},
  hint,
}: Problem): WrongField {
  return {
    detail,
    pointer,
    ...(hint === undefined ? {} : { hint }),
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
  };
}
