import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { toJson } from '../core/json.ts';
import type { Logger } from '../core/log.ts';
import { problem } from '../core/problem.ts';
import type { Agent } from '../jobs/agent.ts';
import {
  type BenchRequestBody,
  BenchRequestSchema,
  RunQuerySchema,
  type RunQueryString,
} from './bench-schemas.ts';
import { guardRequest } from './guard.ts';
import { sendProblem } from './problem-response.ts';
import { runPath, runResource, runSummary } from './run-resource.ts';

const BODY_LIMIT_BYTES = 64 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
const RETRY_AFTER_SECONDS = 5;

/** The HTTP interface of an agent. It only reads memory and the store; what takes time is a run to be polled. */
export function createServer(
  agent: Agent,
  info: { readonly version: string },
  logger: Logger,
): FastifyInstance {
  const app = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Numbers given as text are mistakes worth naming, except in query strings, which have nothing else.
    ajv: { customOptions: { coerceTypes: false, allErrors: true, removeAdditional: false } },
  });
  app.setReplySerializer((payload) => toJson(payload));
  addGuards(app, logger);
  addProbes(app, agent, info);
  addBench(app, agent);
  return app;
}

function addGuards(app: FastifyInstance, logger: Logger): void {
  app.addHook('onRequest', async (request, reply) => {
    const refusal = guardRequest(request.headers.host, request.headers.origin);
    if (refusal !== undefined) await sendProblem(reply, [refusal]);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, [
      problem('not-found', `there is no ${request.method} ${pathOf(request)}`, {
        hint: 'GET / lists what there is',
      }),
    ]),
  );
  app.setErrorHandler((error, request, reply) => {
    const known = requestProblems(error);
    if (known !== undefined) return sendProblem(reply, known);
    const thrown = error instanceof Error ? error : new Error(String(error));
    logger.error('fault while answering', { path: pathOf(request), stack: thrown.stack });
    return sendProblem(reply, [
      problem('internal-fault', 'the daemon met a fault of its own; its log has the details'),
    ]);
  });
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}

interface SchemaComplaint {
  readonly instancePath: string;
  readonly message?: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** What fastify found wrong with a request, as problems; undefined for everything else. */
function requestProblems(error: unknown) {
  const { validation, code } = error as { validation?: readonly SchemaComplaint[]; code?: string };
  if (validation !== undefined) {
    const [first, ...rest] = validation.map(({ instancePath, message, params }) => {
      const extra = params['additionalProperty'];
      const field = typeof extra === 'string' ? `${instancePath}/${extra}` : instancePath;
      return problem('invalid-request', `${field || 'the body'} ${message ?? 'is not valid'}`, {
        place: { field },
      });
    });
    return first === undefined ? undefined : ([first, ...rest] as const);
  }
  switch (code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return [problem('unsupported-media-type', 'the body must be application/json')] as const;
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return [problem('body-too-large', `the body is larger than ${BODY_LIMIT_BYTES} bytes`)] as const;
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return [problem('invalid-request', 'the body is not JSON')] as const;
    default:
      return undefined;
  }
}

function addProbes(app: FastifyInstance, agent: Agent, info: { readonly version: string }): void {
  app.get('/', async () => ({
    name: 'ptq-agent',
    version: info.version,
    models: agent.profiles.map(({ name }) => name),
    endpoints: {
      metrics: 'GET /metrics',
      healthy: 'GET /-/healthy',
      ready: 'GET /-/ready',
      runs: 'GET /bench',
      run: 'GET /bench/{id}',
      bench: 'POST /bench',
    },
  }));
  app.get('/metrics', async (_request, reply) => {
    const { contentType, body } = await agent.renderMetrics();
    // The exposition is text already.
    return reply
      .type(contentType)
      .serializer((text: unknown) => String(text))
      .send(body);
  });
  app.get('/-/healthy', async () => ({ status: 'healthy' }));
  app.get('/-/ready', async (_request, reply) => {
    const ready = agent.isReady();
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'starting' });
  });
}

function addBench(app: FastifyInstance, agent: Agent): void {
  app.post('/bench', { schema: { body: BenchRequestSchema } }, async (request, reply) => {
    const { model, ...order } = request.body as BenchRequestBody;
    const queued = agent.orderBench(model, { kind: 'bench', ...order });
    if (!queued.ok) {
      if (queued.error.kind === 'queue-full') reply.header('retry-after', RETRY_AFTER_SECONDS);
      return sendProblem(reply, [queued.error]);
    }
    return reply
      .code(202)
      .header('location', runPath(queued.value.id))
      .header('retry-after', RETRY_AFTER_SECONDS)
      .send(runResource(queued.value));
  });
  app.get<{ Params: { id: string } }>('/bench/:id', async (request, reply) => {
    const run = agent.getRun(request.params.id);
    if (run !== undefined) return runResource(run);
    return sendProblem(reply, [
      problem('unknown-run', `there is no run '${request.params.id}'`, { hint: 'GET /bench lists the runs' }),
    ]);
  });
  app.get('/bench', { schema: { querystring: RunQuerySchema } }, async (request) => {
    const { limit = 50, ...query } = request.query as RunQueryString;
    return { runs: agent.listRuns({ ...query, limit: Number(limit) }).map(runSummary) };
  });
}
