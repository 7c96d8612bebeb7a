import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { toJson } from '../core/json.ts';
import { problem } from '../core/problem.ts';
import type { Agent } from '../jobs/agent.ts';
import { liveStream, type StreamContext } from './live-stream.ts';
import { describe } from './openapi/describe.ts';
import { sendProblem } from './problem-response.ts';

const MOST_LISTENERS = 8;
const RETRY_AFTER_SECONDS = 5;

/** Beyond this, snapshots pass a listener by. */
const MOST_WAITING_BYTES = 256 * 1024;

const TelemetryOperation = describe({
  id: 'followTelemetry',
  tag: 'host',
  summary: 'What the sampler reads of the host, as it comes',
  description: 'The answer has no end of its own: it goes on until the listener or the daemon goes.',
  answers: {
    200: {
      description: 'A JSON object a line, one a sample',
      content: { 'application/jsonl': Type.String() },
    },
  },
  problems: ['too-many-listeners'],
});

/** The snapshots of the sampler as they come, one JSON object a line, until the listener or the daemon goes. */
export function addTelemetryRoute(
  app: FastifyInstance,
  agent: Pick<Agent, 'onSnapshot'>,
  { limits, metrics }: StreamContext,
): void {
  const listeners = new Set<ServerResponse>();
  app.get('/telemetry', { ...TelemetryOperation, exposeHeadRoute: false }, (_request, reply) => {
    if (listeners.size >= MOST_LISTENERS) {
      reply.header('retry-after', RETRY_AFTER_SECONDS);
      return sendProblem(reply, [
        problem('too-many-listeners', `${MOST_LISTENERS} listen to the telemetry already`, {
          hint: 'try again later; GET /metrics has the present for any number of scrapers',
        }),
      ]);
    }
    reply.hijack();
    const response = reply.raw;
    response.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'application/jsonl; charset=utf-8',
      'cache-control': 'no-store',
      connection: 'close',
    });
    response.flushHeaders();
    listeners.add(response);
    const stream = liveStream(response, {
      mostWaitingBytes: MOST_WAITING_BYTES,
      stalledMs: limits.stalledMs,
      endsWhenFull: false,
      onDropped: () => metrics?.countDropped('slow_follower'),
    });
    const stopListening = agent.onSnapshot((snapshot) => stream.write(`${toJson(snapshot)}\n`));
    response.on('close', () => {
      stopListening();
      listeners.delete(response);
    });
    return reply;
  });
  // A server waits for its answers to end before it closes, and these have no end of their own.
  app.addHook('preClose', async () => {
    for (const response of listeners) response.end();
  });
}
