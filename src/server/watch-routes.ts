import type { FastifyInstance, FastifyReply } from 'fastify';
import { json } from '../api/operation.ts';
import {
  type AcknowledgeRequest,
  AcknowledgeRequestSchema,
  type BaselineRequest,
  BaselineRequestSchema,
  WatchSchema,
} from '../api/watch-schema.ts';
import type { Problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import type { Agent } from '../jobs/agent.ts';
import type { WatchView } from '../jobs/watching/watch-view.ts';
import { unknownModel } from './models-route.ts';
import { describe } from './openapi/describe.ts';
import { sendProblem } from './problem-response.ts';

const WatchOperation = describe({
  id: 'getModelWatch',
  tag: 'models',
  summary: 'What the runs of a model say from one to the next, and what happened',
  answers: { 200: json(WatchSchema, 'States, expectations and their history') },
  problems: ['no-such-model'],
});

const AcknowledgeOperation = describe({
  id: 'acknowledgeRegression',
  tag: 'models',
  summary: 'Takes regressions of a model for known',
  description: 'They do not alarm any more until they get worse. What is not told apart is meant as a whole.',
  body: AcknowledgeRequestSchema,
  answers: { 200: json(WatchSchema, 'It is known') },
  problems: ['no-such-model', 'nothing-to-acknowledge', 'store-not-written'],
});

const BaselineOperation = describe({
  id: 'pinBaseline',
  tag: 'models',
  summary: 'Expects of a model from now on what was found last',
  description:
    'Of accuracy the last evaluation; of latency the runs since the level changed, and those that will come.',
  body: BaselineRequestSchema,
  answers: { 200: json(WatchSchema, 'It is expected') },
  problems: ['no-such-model', 'nothing-to-pin', 'store-not-written'],
});

/** `GET /models/{name}/watch`, and what people say to it. */
export function addWatchRoutes(app: FastifyInstance, agent: Pick<Agent, 'listModels' | 'watch'>): void {
  const isKnown = (model: string) => agent.listModels().some(({ name }) => name === model);
  const answer = (reply: FastifyReply, changed: Result<WatchView, Problem>) =>
    changed.ok ? watchResource(changed.value) : sendProblem(reply, [changed.error]);

  app.get<{ Params: { model: string } }>('/models/:model/watch', WatchOperation, async (request, reply) => {
    const { model } = request.params;
    if (!isKnown(model)) return sendProblem(reply, [unknownModel(model, agent)]);
    return watchResource(agent.watch.view(model));
  });

  app.post<{ Params: { model: string } }>(
    '/models/:model/acknowledge',
    AcknowledgeOperation,
    async (request, reply) => {
      const { model } = request.params;
      if (!isKnown(model)) return sendProblem(reply, [unknownModel(model, agent)]);
      return answer(reply, agent.watch.acknowledge({ model, ...(request.body as AcknowledgeRequest) }));
    },
  );

  app.post<{ Params: { model: string } }>(
    '/models/:model/baseline',
    BaselineOperation,
    async (request, reply) => {
      const { model } = request.params;
      if (!isKnown(model)) return sendProblem(reply, [unknownModel(model, agent)]);
      return answer(reply, agent.watch.rebaseline({ model, ...(request.body as BaselineRequest) }));
    },
  );
}

function watchResource({ series, events }: WatchView) {
  return {
    series: series.map(({ model: _, sinceMs, updatedMs, ...one }) => ({
      ...one,
      since: new Date(sinceMs).toISOString(),
      updatedAt: new Date(updatedMs).toISOString(),
    })),
    events: events.map(({ atMs, fromState, toState, of: { model: _, ...of }, ...event }) => ({
      ...event,
      at: new Date(atMs).toISOString(),
      of,
      from: fromState,
      to: toState,
    })),
  };
}
