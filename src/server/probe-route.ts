import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import type { Agent } from '../jobs/agent.ts';
import { describe } from './openapi/describe.ts';
import { sendProblem } from './problem-response.ts';

/** What Prometheus waits where it does not say, less what an answer needs to reach it. */
const DEFAULT_TIMEOUT_SECONDS = 10;
const LONGEST_TIMEOUT_SECONDS = 60;
const OFFSET_SECONDS = 0.5;

const ProbeQuerySchema = Type.Object(
  {
    model: Type.String({ minLength: 1, maxLength: 63, description: 'the name of a registered model' }),
    variant: Type.Optional(
      Type.String({ maxLength: 63, description: 'one of its variants; fp32 unless given' }),
    ),
    suite: Type.Optional(
      Type.String({
        maxLength: 63,
        description: 'the suite whose first measurement is made; a second of single-stream unless given',
      }),
    ),
  },
  { additionalProperties: false },
);

type ProbeQuery = Type.Static<typeof ProbeQuerySchema>;

const ProbeOperation = describe({
  id: 'probeModel',
  tag: 'models',
  summary: 'Measures a model at once, for a scraper',
  description:
    'As the blackbox exporter does it: `probe_success` says whether it worked, `ptq_probe_failure` why not. While a run is under way, ' +
    'or another process of the host benchmarks, it fails with the reason `busy`. Nothing of it is kept, and nothing is compared with it. ' +
    'It takes processor time, so it needs a credential.',
  startsWork: true,
  query: ProbeQuerySchema,
  headers: Type.Object({
    'x-prometheus-scrape-timeout-seconds': Type.Optional(
      Type.String({
        pattern: '^[0-9]{1,6}(\\.[0-9]{1,9})?$',
        description: 'how long the scraper waits, in seconds, such as 10',
      }),
    ),
  }),
  answers: { 200: { description: 'An exposition', content: { 'text/plain': Type.String() } } },
  problems: ['unknown-model', 'unknown-variant', 'unknown-suite'],
});

/** `GET /probe`: a benchmark that is over before a scrape is. */
export function addProbe(app: FastifyInstance, agent: Pick<Agent, 'prober'>): void {
  app.get('/probe', { ...ProbeOperation, exposeHeadRoute: false }, async (request, reply) => {
    const given = request.headers['x-prometheus-scrape-timeout-seconds'];
    const timeoutSeconds = Math.min(LONGEST_TIMEOUT_SECONDS, Number(given ?? DEFAULT_TIMEOUT_SECONDS));
    const probed = await agent.prober.probe({
      ...(request.query as ProbeQuery),
      budgetSeconds: Math.max(0, timeoutSeconds - OFFSET_SECONDS),
    });
    if (!probed.ok) return sendProblem(reply, [probed.error]);
    const { contentType, body } = probed.value;
    return reply.type(contentType).header('cache-control', 'no-store').send(Buffer.from(body));
  });
}
