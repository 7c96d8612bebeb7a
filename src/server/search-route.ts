import type { FastifyInstance } from 'fastify';
import { json } from '../api/operation.ts';
import { SearchResultSchema } from '../api/search-schema.ts';
import { problem } from '../core/problem.ts';
import type { Agent } from '../jobs/agent.ts';
import { unknownModel } from './models-route.ts';
import { describe } from './openapi/describe.ts';
import { sendProblem } from './problem-response.ts';

const SearchOperation = describe({
  id: 'getVariantSearch',
  tag: 'models',
  summary: 'What the search for the recipe of a variant tried, measured and chose',
  description:
    'Of variants with `recipe: auto`. Figures are those of the search; what runs found out later stands in the model.',
  answers: { 200: json(SearchResultSchema, 'The search whose choice is the variant now') },
  problems: ['no-such-model', 'unknown-artifact'],
});

/** `GET /models/{name}/variants/{variant}/search`. */
export function addVariantSearch(app: FastifyInstance, agent: Pick<Agent, 'listModels' | 'records'>): void {
  app.get<{ Params: { model: string; variant: string } }>(
    '/models/:model/variants/:variant/search',
    SearchOperation,
    async (request, reply) => {
      const { model, variant } = request.params;
      const view = agent.listModels().find(({ name }) => name === model);
      if (view === undefined) return sendProblem(reply, [unknownModel(model, agent)]);
      const hash = view.variants.find((known) => known.variant === variant)?.artifact;
      const search = hash === undefined ? undefined : agent.records.searchOf(hash);
      if (search !== undefined) return search;
      return sendProblem(reply, [
        problem('unknown-artifact', `the recipe of a variant '${variant}' of '${model}' was not searched`, {
          hint: 'a search is made for variants with `recipe: auto`, in their next run',
        }),
      ]);
    },
  );
}
