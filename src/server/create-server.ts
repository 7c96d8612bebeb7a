import type { ReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ServerOptions } from 'node:https';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { asError } from '../core/as-error.ts';
import { toJson } from '../core/json.ts';
import type { Logger } from '../core/log.ts';
import { problem } from '../core/problem.ts';
import type { Agent } from '../jobs/agent.ts';
import { type Access, addAccess } from './access/add-access.ts';
import {
  ArrivalsQuerySchema,
  type ArrivalsQueryString,
  type BenchRequestBody,
  BenchRequestSchema,
  OrderHeadersSchema,
  RunQuerySchema,
  type RunQueryString,
} from './bench-schemas.ts';
import { addMetrics } from './metrics-route.ts';
import { addModels, MODEL_PATHS } from './models-route.ts';
import { addPageAssets, sendPage, wantsPage } from './page-route.ts';
import { sendProblem } from './problem-response.ts';
import { requestProblems } from './request-problems.ts';
import { addRunEvents } from './run-events-route.ts';
import { runPath, runResource, runSummary, unknownRun } from './run-resource.ts';
import { addTelemetryRoute } from './telemetry-route.ts';
import { addTimelineRoute } from './timeline-route.ts';
import { addTraceRoute } from './trace-route.ts';

const BODY_LIMIT_BYTES = 64 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
const RETRY_AFTER_SECONDS = 5;
const DEFAULT_LIMIT = 50;
const MOST_ARRIVALS = 10_000;

/** The HTTP interface of an agent. It only reads memory and the store; what takes time is a run to be polled. */
export function createServer(
  agent: Agent,
  info: { readonly version: string },
  logger: Logger,
  access: Access,
  https: ServerOptions | null = null,
): FastifyInstance {
  const app = Fastify({
    https,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Numbers given as text are mistakes worth naming; query strings, which have nothing else, are checked as text.
    ajv: { customOptions: { coerceTypes: false, allErrors: true, removeAdditional: false, verbose: true } },
    frameworkErrors: (error, request, reply) => answerError(error, request, reply, logger),
  });
  app.setReplySerializer((payload) => toJson(payload));
  addAccess(app, access);
  addFaults(app, logger);
  addProbes(app, agent, info);
  addBench(app, agent);
  addModels(app, agent);
  for (const url of MODEL_PATHS) refuseOtherMethods(app, url, ['GET', 'HEAD']);
  addRunEvents(app, agent);
  addTimelineRoute(app, agent.records);
  addTraceRoute(app, agent.records);
  addTelemetryRoute(app, agent);
  return app;
}

function addFaults(app: FastifyInstance, logger: Logger): void {
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, [
      problem('not-found', `there is no ${request.method} ${pathOf(request)}`, {
        hint: 'GET / lists what there is',
      }),
    ]),
  );
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, logger));
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger) {
  const known = requestProblems(error);
  if (known !== undefined) return sendProblem(reply, known);
  const thrown = asError(error);
  logger.error('fault while answering', { path: pathOf(request), stack: thrown.stack });
  return sendProblem(reply, [
    problem('internal-fault', 'the daemon met a fault of its own; its log has the details'),
  ]);
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** A path that exists answers every other method with 405, before a body is read. */
function refuseOtherMethods(app: FastifyInstance, url: string, allowed: readonly string[]): void {
  app.route({
    method: METHODS.filter((method) => !allowed.includes(method)),
    url,
    onRequest: async (request, reply) =>
      sendProblem(reply.header('allow', allowed.join(', ')), [
        problem('method-not-allowed', `${pathOf(request)} does not take ${request.method}`, {
          hint: `it takes ${allowed.join(', ')}`,
        }),
      ]),
    handler: () => {
      throw new Error('the hook answers');
    },
  });
}

function addProbes(app: FastifyInstance, agent: Agent, info: { readonly version: string }): void {
  const overview = () => ({
    name: 'ptq-agent',
    version: info.version,
    models: agent.profiles.map(({ name }) => name),
    endpoints: {
      metrics: 'GET /metrics',
      healthy: 'GET /-/healthy',
      ready: 'GET /-/ready',
      models: 'GET /models',
      model: 'GET /models/{name}',
      file: 'GET /models/{name}/variants/{variant}/file',
      runs: 'GET /bench',
      run: 'GET /bench/{id}',
      changed: 'GET /bench/{id}/changed/{variant}',
      timeline: 'GET /bench/{id}/timeline',
      trace: 'GET /bench/{id}/trace',
      telemetry: 'GET /telemetry',
      arrivals: 'GET /bench/arrivals',
      bench: 'POST /bench',
      events: 'GET /bench/{id}/events',
      cancel: 'POST /bench/{id}/cancel',
    },
  });
  app.get('/', async (request, reply) => {
    reply.header('vary', 'Accept');
    return wantsPage(request.headers.accept) ? sendPage(reply, info.version) : overview();
  });
  addPageAssets(app);
  addMetrics(app, agent);
  app.get('/-/healthy', async () => ({ status: 'healthy' }));
  app.get('/-/ready', async (_request, reply) => {
    const ready = agent.isReady();
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'starting' });
  });
  refuseOtherMethods(app, '/telemetry', ['GET']);
  for (const url of ['/', '/metrics', '/-/healthy', '/-/ready'])
    refuseOtherMethods(app, url, ['GET', 'HEAD']);
}

function addBench(app: FastifyInstance, agent: Agent): void {
  app.post(
    '/bench',
    { schema: { body: BenchRequestSchema, headers: OrderHeadersSchema } },
    async (request, reply) => {
      const { model, ...order } = request.body as BenchRequestBody;
      const key = request.headers['idempotency-key'] as string | undefined;
      const queued = agent.orderBench({
        model,
        order: { kind: 'bench', ...order },
        ...(key === undefined ? {} : { key }),
      });
      if (!queued.ok) {
        if (queued.error.kind === 'queue-full') reply.header('retry-after', RETRY_AFTER_SECONDS);
        return sendProblem(reply, [queued.error]);
      }
      return reply
        .code(202)
        .header('location', runPath(queued.value.id))
        .header('retry-after', RETRY_AFTER_SECONDS)
        .send(runResource(queued.value));
    },
  );
  app.get('/bench/arrivals', { schema: { querystring: ArrivalsQuerySchema } }, async (request, reply) => {
    const { limit, ...query } = request.query as ArrivalsQueryString;
    const lines = agent.benchArrivals({ ...query, limit: Number(limit ?? MOST_ARRIVALS) });
    return reply.type('application/jsonl; charset=utf-8').send([...lines].join(''));
  });
  app.get<{ Params: { id: string } }>('/bench/:id', async (request, reply) => {
    const run = agent.getRun(request.params.id);
    if (run !== undefined) return runResource(run);
    return sendProblem(reply, [unknownRun(request.params.id)]);
  });
  app.post<{ Params: { id: string } }>('/bench/:id/cancel', async (request, reply) => {
    const cancelled = agent.cancelRun(request.params.id);
    if (!cancelled.ok) return sendProblem(reply, [cancelled.error]);
    return reply.code(202).header('location', runPath(cancelled.value.id)).send(runSummary(cancelled.value));
  });
  app.get<{ Params: { id: string; variant: string } }>(
    '/bench/:id/changed/:variant',
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
  app.get('/bench', { schema: { querystring: RunQuerySchema } }, async (request) => {
    const { limit, ...query } = request.query as RunQueryString;
    return { runs: agent.listRuns({ ...query, limit: Number(limit ?? DEFAULT_LIMIT) }).map(runSummary) };
  });
  refuseOtherMethods(app, '/bench', ['GET', 'HEAD', 'POST']);
  refuseOtherMethods(app, '/bench/arrivals', ['GET', 'HEAD']);
  refuseOtherMethods(app, '/bench/:id', ['GET', 'HEAD']);
  refuseOtherMethods(app, '/bench/:id/changed/:variant', ['GET', 'HEAD']);
  refuseOtherMethods(app, '/bench/:id/timeline', ['GET', 'HEAD']);
  refuseOtherMethods(app, '/bench/:id/trace', ['GET', 'HEAD']);
  refuseOtherMethods(app, '/bench/:id/events', ['GET']);
  refuseOtherMethods(app, '/bench/:id/cancel', ['POST']);
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
