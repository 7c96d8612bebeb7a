import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { toJson } from '../core/json.ts';
import { problem } from '../core/problem.ts';
import type { Agent } from '../jobs/agent.ts';
import type { RunNews } from '../jobs/run-feed.ts';
import { liveStream, type StreamContext } from './live-stream.ts';
import { describe } from './openapi/describe.ts';
import { sendProblem } from './problem-response.ts';
import { runSummary, unknownRun } from './run-resource.ts';

const MOST_FOLLOWERS = 512;
const RETRY_AFTER_SECONDS = 5;
/** Proxies end connections on which nothing comes for a minute or half of one. */
const HEARTBEAT_MS = 15_000;
/** Beyond this the connection of a follower is ended: it comes again and goes on where it was. */
const MOST_WAITING_BYTES = 256 * 1024;

const EventsOperation = describe({
  id: 'followRun',
  tag: 'runs',
  summary: 'What happens to a run, as server-sent events',
  description:
    'Events are `state` and `end` with a RunSummary, and `progress` with a Progress; after `end` the answer ends, and after ' +
    '`stopping`, which says that the daemon does: the run goes on, if at all, with its successor. ' +
    'A follower that comes again with the header Last-Event-ID gets what it missed. A comment comes every 15 seconds.',
  headers: Type.Object({
    'last-event-id': Type.Optional(
      Type.String({ maxLength: 255, description: 'the last event that was seen' }),
    ),
  }),
  answers: {
    200: { description: 'Events (WHATWG HTML, 9.2)', content: { 'text/event-stream': Type.String() } },
  },
  problems: ['unknown-run', 'too-many-listeners'],
});

/**
 * `GET /bench/{id}/events`: what happens to a run as server-sent events (WHATWG HTML, 9.2), `state`, `progress` and at last
 * `end`. A follower that comes again with `Last-Event-ID` gets what it missed.
 */
export function addRunEvents(
  app: FastifyInstance,
  agent: Pick<Agent, 'followRun'>,
  { limits, metrics }: StreamContext,
): void {
  const followers = new Set<ServerResponse>();
  app.get<{ Params: { id: string } }>(
    '/bench/:id/events',
    { ...EventsOperation, exposeHeadRoute: false },
    (request, reply) => {
      if (followers.size >= MOST_FOLLOWERS) {
        reply.header('retry-after', RETRY_AFTER_SECONDS);
        return sendProblem(reply, [
          problem('too-many-listeners', `${MOST_FOLLOWERS} follow runs already`, {
            hint: 'ask for the run now and then',
          }),
        ]);
      }
      const response = reply.raw;
      // Nothing is sent before it is known that there is such a run.
      const early: RunNews[] = [];
      let send = (news: RunNews): void => void early.push(news);
      const lastSeen = request.headers['last-event-id'];
      const unfollow = agent.followRun(request.params.id, lastSeen?.toString(), (news) => send(news));
      if (unfollow === undefined) return sendProblem(reply, [unknownRun(request.params.id)]);
      reply.hijack();
      response.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      followers.add(response);
      const { write } = liveStream(response, {
        mostWaitingBytes: MOST_WAITING_BYTES,
        stalledMs: limits.stalledMs,
        endsWhenFull: true,
        onDropped: () => metrics?.countDropped('slow_follower'),
      });
      const heartbeat = setInterval(() => write(': still here\n\n'), HEARTBEAT_MS);
      response.on('close', () => {
        clearInterval(heartbeat);
        unfollow();
        followers.delete(response);
      });
      send = (news) => {
        write(eventText(news));
        if (news.kind === 'end') response.end();
      };
      response.flushHeaders();
      for (const news of early) send(news);
      return reply;
    },
  );
  // A server waits for its answers to end before it closes.
  app.addHook('preClose', async () => {
    for (const response of followers) response.end('event: stopping\ndata: {}\n\n');
  });
}

/** Written once for all who follow a run. */
const texts = new WeakMap<RunNews, string>();

function eventText(news: RunNews): string {
  const text = texts.get(news) ?? writeEvent(news);
  texts.set(news, text);
  return text;
}

function writeEvent({ id, kind, run }: RunNews): string {
  return `id: ${id}\nevent: ${kind}\ndata: ${toJson(kind === 'progress' ? run.progress : runSummary(run))}\n\n`;
}
