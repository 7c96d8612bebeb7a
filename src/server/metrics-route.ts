import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import type { Agent } from '../jobs/agent.ts';
import { describe } from './openapi/describe.ts';

const compress = promisify(gzip);

const MetricsOperation = describe({
  id: 'getMetrics',
  tag: 'host',
  summary: 'The metrics of the daemon and its host, for Prometheus',
  description: 'Accept chooses the format, Accept-Encoding whether it is compressed.',
  answers: {
    200: {
      description: 'An exposition',
      content: { 'text/plain': Type.String(), 'application/openmetrics-text': Type.String() },
      headers: { vary: 'Accept, Accept-Encoding' },
    },
  },
});

type Rendered = Awaited<ReturnType<Agent['renderMetrics']>>;

/** `GET /metrics`: the format is chosen by `Accept`, gzip by `Accept-Encoding`. */
export function addMetrics(app: FastifyInstance, agent: Pick<Agent, 'renderMetrics'>): void {
  // Scrapers that come while nothing changes share the bytes.
  const plain = new WeakMap<Rendered, Buffer>();
  const compressed = new WeakMap<Rendered, Promise<Buffer>>();
  const plainBytes = (rendered: Rendered): Buffer => {
    const bytes = plain.get(rendered) ?? Buffer.from(rendered.body);
    plain.set(rendered, bytes);
    return bytes;
  };
  const compressedBytes = (rendered: Rendered): Promise<Buffer> => {
    // Compressing happens in a thread of the pool. The lowest level leaves a tenth of the text; higher ones cost more than they save.
    const bytes = compressed.get(rendered) ?? compress(rendered.body, { level: constants.Z_BEST_SPEED });
    compressed.set(rendered, bytes);
    return bytes;
  };
  app.get('/metrics', MetricsOperation, async ({ headers }, reply) => {
    const rendered = await agent.renderMetrics(headers.accept);
    reply.type(rendered.contentType).header('vary', 'Accept, Accept-Encoding');
    if (!acceptsGzip(headers['accept-encoding'])) return reply.send(plainBytes(rendered));
    return reply.header('content-encoding', 'gzip').send(await compressedBytes(rendered));
  });
}

/** Whether an `Accept-Encoding` header (RFC 9110, 12.5.3) names gzip, and not with the quality 0. */
function acceptsGzip(header: string | readonly string[] | undefined): boolean {
  return String(header ?? '')
    .toLowerCase()
    .split(',')
    .some((coding) => {
      const [name = '', ...parameters] = coding.split(';').map((part) => part.trim());
      const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
      return /^(?:x-)?gzip$/.test(name) && (quality === undefined || Number(quality) > 0);
    });
}
