import type { ServerOptions } from 'node:https';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { AgentSettings } from '../config/settings.ts';
import { asError } from '../core/as-error.ts';
import { toJson } from '../core/json.ts';
import type { Logger } from '../core/log.ts';
import { problem } from '../core/problem.ts';
import type { Agent } from '../jobs/agent.ts';
import type { Reloader } from '../jobs/reload/reloader.ts';
import type { HttpMetrics } from '../metrics/http-metrics.ts';
import { type Access, addAccess } from './access/add-access.ts';
import { addBenchRoutes } from './bench-routes.ts';
import { addChangedRoute } from './changed-route.ts';
import { type ConnectionLimits, connectionOptions, DEFAULT_LIMITS, guardConnections } from './connections.ts';
import { addDaemonRoutes } from './daemon-routes.ts';
import { addEtags } from './etags.ts';
import { addFigures } from './figures-routes.ts';
import { addHostRoutes } from './host-routes.ts';
import { addMetrics } from './metrics-route.ts';
import { addModels } from './models-route.ts';
import { API_VERSION, VERSION_HEADER } from './openapi/api-version.ts';
import { collectRoutes } from './openapi/describe.ts';
import { addOpenApi } from './openapi/openapi-route.ts';
import { addOrderRoutes } from './order-routes.ts';
import { addPageAssets } from './page-route.ts';
import { addProbe } from './probe-route.ts';
import { sendProblem } from './problem-response.ts';
import { addProblemTypes } from './problems-route.ts';
import { refuseOtherMethods } from './refuse-other-methods.ts';
import { addReload } from './reload-route.ts';
import { addRequestLog } from './request-log.ts';
import { pathOf } from './request-path.ts';
import { requestProblems } from './request-problems.ts';
import { addRunEvents } from './run-events-route.ts';
import { createRunWaits } from './run-waits.ts';
import { addVariantSearch } from './search-route.ts';
import { addSensitivity } from './sensitivity-route.ts';
import { addTelemetryRoute } from './telemetry-route.ts';
import { addTimelineRoute } from './timeline-route.ts';
import { addTraceRoute } from './trace-route.ts';
import { refuseUnusual } from './unusual-requests.ts';
import { addVariantFiles } from './variant-files-route.ts';
import { addWatchRoutes } from './watch-routes.ts';

const BODY_LIMIT_BYTES = 64 * 1024;

/** What the server needs to know beside the agent. */
export interface ServerContext {
  readonly version: string;
  /** How much patience there is with clients; `DEFAULT_LIMITS` unless given. */
  readonly limits?: ConnectionLimits;
  readonly metrics?: HttpMetrics;
  /** Whether requests are logged at `info`; asked for each, so that it can change. */
  readonly logsRequests?: () => boolean;
  /** Those that hold now. They have no secrets, but names of files that do. */
  readonly settings?: () => Partial<AgentSettings>;
  /** Takes up the configuration anew. */
  readonly reloader: Pick<Reloader<unknown>, 'reload' | 'status'>;
}

/** The HTTP interface of an agent. It only reads memory and the store; what takes time is a run to be polled. */
export function createServer(
  agent: Agent,
  {
    version,
    limits = DEFAULT_LIMITS,
    metrics,
    logsRequests = () => false,
    settings = () => ({}),
    reloader,
  }: ServerContext,
  logger: Logger,
  access: () => Access,
  https: ServerOptions | null = null,
): FastifyInstance {
  const app = Fastify({
    ...connectionOptions(limits, https, metrics),
    bodyLimit: BODY_LIMIT_BYTES,
    // Numbers given as text are mistakes worth naming; query strings, which have nothing else, are checked as text.
    ajv: { customOptions: { coerceTypes: false, allErrors: true, removeAdditional: false, verbose: true } },
    frameworkErrors: (error, request, reply) => answerError(error, request, reply, logger),
  });
  app.setReplySerializer((payload) => toJson(payload));
  const routes = collectRoutes(app);
  app.addHook('onRequest', async (_request, reply) => void reply.header(VERSION_HEADER, API_VERSION));
  guardConnections(app, limits, metrics);
  addRequestLog(app, logger, logsRequests);
  addAccess(app, access);
  addEtags(app);
  addFaults(app, logger);
  addDaemonRoutes(app, agent, { version, routes });
  addOpenApi(app, routes.operations, {
    guardsReading: access().guardsReading,
    hasUsers: access().users.size > 0,
  });
  addProblemTypes(app);
  addReload(app, reloader);
  addPageAssets(app);
  addMetrics(app, agent);
  const waits = createRunWaits(app, agent);
  addOrderRoutes(app, { agent, waits });
  addBenchRoutes(app, agent, waits);
  addProbe(app, agent);
  addHostRoutes(app, agent, settings);
  addFigures(app, agent);
  addChangedRoute(app, agent);
  addSensitivity(app, agent);
  addModels(app, agent);
  addVariantFiles(app, agent);
  addVariantSearch(app, agent);
  addWatchRoutes(app, agent);
  addRunEvents(app, agent, { limits, metrics });
  addTimelineRoute(app, agent.records);
  addTraceRoute(app, agent.records);
  addTelemetryRoute(app, agent, { limits, metrics });
  refuseOtherMethods(app, routes);
  refuseUnusual(app);
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
