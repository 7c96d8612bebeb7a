import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { json } from '../api/operation.ts';
import { SensitivitySchema } from '../api/sensitivity-schema.ts';
import { problem } from '../core/problem.ts';
import type { Agent } from '../jobs/agent.ts';
import { unknownModel } from './models-route.ts';
import { describe } from './openapi/describe.ts';
import { sendProblem } from './problem-response.ts';

const SensitivityOperation = describe({
  id: 'getVariantSensitivity',
  tag: 'models',
  summary: 'What each quantized node of a variant costs, and why',
  description:
    'Runs that were ordered with POST /explain find it out, and full runs for a new artifact where the profile says `explain`: the newest that is about the artifact of the last full run.',
  answers: { 200: json(SensitivitySchema, 'The explanation') },
  problems: ['no-such-model', 'not-explained'],
});

/** `GET /models/{model}/variants/{variant}/sensitivity`: as the run that explained the variant left it. */
export function addSensitivity(app: FastifyInstance, agent: Pick<Agent, 'listModels' | 'records'>): void {
  app.get<{ Params: { model: string; variant: string } }>(
    '/models/:model/variants/:variant/sensitivity',
    SensitivityOperation,
    async (request, reply) => {
      const { model, variant } = request.params;
      const view = agent.listModels().find(({ name }) => name === model);
      if (view === undefined) return sendProblem(reply, [unknownModel(model, agent)]);
      // The run comes from a result of our own, never from the request.
      const known = view.variants.find((of) => of.variant === variant);
      const run = known?.explainedBy;
      const file = run === undefined ? undefined : agent.records.sensitivity(run, variant);
      // It may have been removed with its run meanwhile.
      const text = file === undefined ? undefined : await readFile(file, 'utf8').catch(() => undefined);
      if (text !== undefined) return reply.type('application/json; charset=utf-8').send(text);
      return sendProblem(reply, [
        problem('not-explained', `nothing is known of the nodes of a variant '${variant}' of '${model}'`, {
          hint: "order it with POST /explain, or write 'explain: true' into the profile; the next full run then explains every artifact that it has not explained yet",
        }),
      ]);
    },
  );
}
