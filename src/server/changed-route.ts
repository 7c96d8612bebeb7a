import type { ReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { problem } from '../core/problem.ts';
import type { Agent } from '../jobs/agent.ts';
import { describe } from './openapi/describe.ts';
import { sendProblem } from './problem-response.ts';

const ChangedOperation = describe({
  id: 'getChangedItems',
  tag: 'runs',
  summary: 'The items whose answer a variant changed',
  answers: {
    200: { description: 'A JSON object a line', content: { 'application/jsonl': Type.String() } },
  },
  problems: ['unknown-run'],
});

/** The items whose answer a variant changed in a run, as the run left them. */
export function addChangedRoute(app: FastifyInstance, agent: Pick<Agent, 'getRun' | 'records'>): void {
  app.get<{ Params: { id: string; variant: string } }>(
    '/bench/:id/changed/:variant',
    ChangedOperation,
    async (request, reply) => {
      const { id, variant } = request.params;
      const file = agent.getRun(id) === undefined ? undefined : agent.records.changedItems(id, variant);
      const lines = file === undefined ? undefined : await openFile(file);
      if (lines !== undefined) return reply.type('application/jsonl; charset=utf-8').send(lines);
      return sendProblem(reply, [
        problem('unknown-run', `there is no run '${id}' that evaluated a variant '${variant}'`, {
          hint: 'GET /bench/{id} shows what a run evaluated; a benchmark on demand evaluates nothing',
        }),
      ]);
    },
  );
}

/** Undefined where the file is not there, as when it was removed by hand. */
async function openFile(path: string): Promise<ReadStream | undefined> {
  try {
    return (await open(path, 'r')).createReadStream();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
