import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { toJson } from '../core/json.ts';
import { problem } from '../core/problem.ts';
import type { Agent } from '../jobs/agent.ts';
import { sendProblem } from './problem-response.ts';

const MOST_LISTENERS = 8;
const RETRY_AFTER_SECONDS = 5;

/** Text waiting for a listener that does not read. Beyond this, snapshots pass it by. */
const MOST_WAITING_BYTES = 256 * 1024;

/** The snapshots of the sampler as they come, one JSON object a line, until the listener or the daemon goes. */
export function addTelemetryRoute(app: FastifyInstance, agent: Pick<Agent, 'onSnapshot'>): void {
  const listeners = new Set<ServerResponse>();
  app.get('/telemetry', { exposeHeadRoute: false }, (_request, reply) => {
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
      'content-type': 'application/jsonl; charset=utf-8',
      'cache-control': 'no-store',
      connection: 'close',
    });
    response.flushHeaders();
    listeners.add(response);
    const stopListening = agent.onSnapshot((snapshot) => {
      if (response.writableLength < MOST_WAITING_BYTES) response.write(`${toJson(snapshot)}\n`);
    });
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
