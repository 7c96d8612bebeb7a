import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { HealthSchema, OverviewSchema, ReadinessSchema } from '../api/daemon-schema.ts';
import { json } from '../api/operation.ts';
import type { Agent } from '../jobs/agent.ts';
import { API_VERSION } from './openapi/api-version.ts';
import { type CollectedRoutes, describe } from './openapi/describe.ts';
import { sendPage, wantsPage } from './page-route.ts';

const OverviewOperation = describe({
  id: 'getOverview',
  tag: 'host',
  summary: 'What the daemon is and has; for browsers the page',
  answers: {
    200: {
      description: 'The overview, or the page where Accept names HTML',
      content: { 'application/json': OverviewSchema, 'text/html': Type.String() },
      headers: { vary: 'Accept' },
    },
  },
});

const HealthOperation = describe({
  id: 'getHealth',
  tag: 'host',
  summary: 'Whether the process is alive',
  answers: { 200: json(HealthSchema, 'It is') },
});

const ReadinessOperation = describe({
  id: 'getReadiness',
  tag: 'host',
  summary: 'Whether the sampler has given a snapshot, or has said why it cannot, and orders are taken',
  answers: { 200: json(ReadinessSchema, 'It has'), 503: json(ReadinessSchema, 'Not yet, or not any more') },
});

/** What the daemon is, and whether it is well. */
export function addDaemonRoutes(
  app: FastifyInstance,
  agent: Pick<Agent, 'profiles' | 'isReady' | 'isStopping'>,
  { version, routes }: { readonly version: string; readonly routes: CollectedRoutes },
): void {
  const overview = () => ({
    name: 'ptq-agent',
    version,
    apiVersion: API_VERSION,
    models: agent.profiles.map(({ name }) => name),
    endpoints: Object.fromEntries(
      routes.operations.map(({ method, path, operation }) => [
        operation.id,
        `${method.toUpperCase()} ${path}`,
      ]),
    ),
  });
  app.get('/', OverviewOperation, async (request, reply) => {
    reply.header('vary', 'Accept');
    return wantsPage(request.headers.accept) ? sendPage(reply, version) : overview();
  });
  app.get('/-/healthy', HealthOperation, async () => ({ status: 'healthy' }));
  app.get('/-/ready', ReadinessOperation, async (_request, reply) => {
    const ready = agent.isReady();
    const status = agent.isStopping() ? 'stopping' : ready ? 'ready' : 'starting';
    return reply.code(status === 'ready' ? 200 : 503).send({ status });
  });
}
