import type { FastifyInstance } from 'fastify';
import {
  HistoryQuerySchema,
  type HistoryQueryString,
  HistorySchema,
  ModelListSchema,
  ModelQuerySchema,
  type ModelQueryString,
  ModelSchema,
} from '../api/model-schema.ts';
import { json } from '../api/operation.ts';
import { problem } from '../core/problem.ts';
import type { Agent } from '../jobs/agent.ts';
import { latencyHistories } from '../jobs/latency-history.ts';
import type { ModelView } from '../jobs/model-view.ts';
import { cutPage, linkNext, NEXT_PAGE } from './next-page.ts';
import { describe } from './openapi/describe.ts';
import { sendProblem } from './problem-response.ts';
import { runPath } from './run-resource.ts';

const MOST_RUNS = 200;
const DEFAULT_MODELS = 100;

const ListOperation = describe({
  id: 'listModels',
  tag: 'models',
  summary: 'The registered models with what their last full runs found out',
  query: ModelQuerySchema,
  answers: { 200: json(ModelListSchema, 'A page of them', NEXT_PAGE) },
});

const ModelOperation = describe({
  id: 'getModel',
  tag: 'models',
  summary: 'A registered model with what its last full run found out',
  answers: { 200: json(ModelSchema, 'The model') },
  problems: ['no-such-model'],
});

const HistoryOperation = describe({
  id: 'getModelHistory',
  tag: 'models',
  summary: 'How the variants of a model fared in its last runs',
  description: 'A page has so many runs, the oldest first; the next page has those before.',
  query: HistoryQuerySchema,
  answers: { 200: json(HistorySchema, 'A point for each variant of each run', NEXT_PAGE) },
  problems: ['no-such-model'],
});

/** `GET /models`, `GET /models/{name}`, and its history. */
export function addModels(
  app: FastifyInstance,
  agent: Pick<Agent, 'listModels' | 'modelHistory' | 'records'>,
): void {
  app.get('/models', ListOperation, async (request, reply) => {
    const { limit = DEFAULT_MODELS, after = '' } = request.query as ModelQueryString;
    const following = agent
      .listModels()
      .filter(({ name }) => name > after)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const { elements, last } = cutPage(following, Number(limit));
    const models = elements.map((view) => modelResource(view, agent));
    return last === undefined
      ? { models }
      : { models, next: linkNext(reply, '/models', { limit, after: last.name }) };
  });

  app.get<{ Params: { model: string } }>('/models/:model', ModelOperation, async (request, reply) => {
    const { model } = request.params;
    const view = agent.listModels().find(({ name }) => name === model);
    return view === undefined ? sendProblem(reply, [unknownModel(model, agent)]) : modelResource(view, agent);
  });

  app.get<{ Params: { model: string } }>(
    '/models/:model/history',
    HistoryOperation,
    async (request, reply) => {
      const { model } = request.params;
      if (!agent.listModels().some(({ name }) => name === model))
        return sendProblem(reply, [unknownModel(model, agent)]);
      const { limit = MOST_RUNS, before } = request.query as HistoryQueryString;
      const { points, next } = agent.modelHistory({
        model,
        limit: Number(limit),
        ...(before === undefined ? {} : { before }),
      });
      const shown = points.map(({ finishedMs, ...point }) => ({
        ...point,
        finishedAt: new Date(finishedMs).toISOString(),
      }));
      const latency = latencyHistories(points);
      if (next === undefined) return { points: shown, latency };
      return {
        points: shown,
        latency,
        next: linkNext(reply, `${modelPath(model)}/history`, { limit, before: next }),
      };
    },
  );
}

function modelResource({ run, variants, ...view }: ModelView, { records }: Pick<Agent, 'records'>) {
  return {
    ...view,
    href: modelPath(view.name),
    ...(run === undefined
      ? {}
      : { run: { href: runPath(run.id), finishedAt: new Date(run.finishedMs).toISOString() } }),
    variants: variants.map(({ explainedBy, ...variant }) => {
      const { artifact } = variant;
      if (artifact === undefined) return variant;
      const path = `${modelPath(view.name)}/variants/${variant.variant}`;
      const sensitivity = explainedBy === undefined ? {} : { sensitivity: `${path}/sensitivity` };
      const search = records.searchOf(artifact) === undefined ? {} : { search: `${path}/search` };
      const hasData = records.artifactFiles(artifact)?.data !== undefined;
      return {
        ...variant,
        ...sensitivity,
        ...search,
        file: `${path}/file`,
        ...(hasData ? { data: `${path}/data` } : {}),
      };
    }),
  };
}

function modelPath(name: string): string {
  return `/models/${name}`;
}

export function unknownModel(name: string, agent: Pick<Agent, 'listModels'>) {
  const known = agent.listModels().map((model) => model.name);
  return problem('no-such-model', `no model '${name}' is registered`, {
    hint: `registered are: ${known.join(', ') || 'none'}`,
  });
}
