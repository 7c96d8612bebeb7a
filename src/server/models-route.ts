import { basename, dirname } from 'node:path';
import send from '@fastify/send';
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

const FileOperation = describe({
  id: 'getVariantFile',
  tag: 'models',
  summary: 'The file of a quantized variant, whole or by ranges of bytes',
  answers: {
    200: {
      description: 'The file',
      content: { 'application/octet-stream': null },
      headers: { etag: 'of its content' },
    },
    206: { description: 'The ranges that were asked for', content: { 'application/octet-stream': null } },
    304: { description: 'It is the one that If-None-Match names' },
    412: {
      description: 'It is not the one that If-Match names',
      content: { 'application/octet-stream': null },
    },
    416: { description: 'It has no such bytes', content: { 'application/octet-stream': null } },
  },
  problems: ['no-such-model', 'unknown-artifact'],
});

/** `GET /models`, `GET /models/{name}`, its history, and the file of a variant, whole or by ranges of bytes (RFC 9110, 14). */
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
    const models = elements.map(modelResource);
    return last === undefined
      ? { models }
      : { models, next: linkNext(reply, '/models', { limit, after: last.name }) };
  });

  app.get<{ Params: { model: string } }>('/models/:model', ModelOperation, async (request, reply) => {
    const { model } = request.params;
    const view = agent.listModels().find(({ name }) => name === model);
    return view === undefined ? sendProblem(reply, [unknownModel(model, agent)]) : modelResource(view);
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

  app.get<{ Params: { model: string; variant: string } }>(
    '/models/:model/variants/:variant/file',
    FileOperation,
    async (request, reply) => {
      const { model, variant } = request.params;
      const view = agent.listModels().find(({ name }) => name === model);
      if (view === undefined) return sendProblem(reply, [unknownModel(model, agent)]);
      // The hash comes from a result of our own, never from the request.
      const hash = view.variants.find((known) => known.variant === variant)?.artifact;
      const file = hash === undefined ? undefined : agent.records.artifactFile(hash);
      if (hash === undefined || file === undefined) {
        return sendProblem(reply, [
          problem('unknown-artifact', `there is no file of a variant '${variant}' of '${model}'`, {
            hint: 'GET /models/{name} shows which variants have an "artifact"; fp32 is the file of the profile itself',
          }),
        ]);
      }
      // Whoever takes it by ranges comes again; meanwhile it was used just now.
      reply.raw.once('close', agent.records.holdArtifact(hash));
      const sent = await send(request.raw, `/${basename(file)}`, {
        root: dirname(file),
        contentType: false,
        // A name that says what is in it never has other content.
        immutable: true,
        maxAge: '1y',
      });
      return reply
        .code(sent.statusCode)
        .headers(sent.headers)
        .headers({
          'content-type': 'application/octet-stream',
          'content-disposition': `attachment; filename="${model}-${variant}.onnx"`,
        })
        .send(sent.stream);
    },
  );
}

function modelResource({ run, variants, ...view }: ModelView) {
  return {
    ...view,
    href: modelPath(view.name),
    ...(run === undefined
      ? {}
      : { run: { href: runPath(run.id), finishedAt: new Date(run.finishedMs).toISOString() } }),
    variants: variants.map((variant) => ({
      ...variant,
      ...(variant.artifact === undefined
        ? {}
        : { file: `${modelPath(view.name)}/variants/${variant.variant}/file` }),
    })),
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
