import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { json } from '../api/operation.ts';
import {
  ArrivalsQuerySchema,
  type ArrivalsQueryString,
  RunQuerySchema,
  type RunQueryString,
  WaitHeadersSchema,
} from '../api/run-request-schema.ts';
import { RunListSchema, RunSchema, RunSummarySchema } from '../api/run-schema.ts';
import type { Agent } from '../jobs/agent.ts';
import { cutPage, linkNext, NEXT_PAGE } from './next-page.ts';
import { describe } from './openapi/describe.ts';
import { sendProblem } from './problem-response.ts';
import { runPath, runResource, runSummary, unknownRun } from './run-resource.ts';
import type { RunWaits } from './run-waits.ts';

const DEFAULT_LIMIT = 50;
const MOST_ARRIVALS = 10_000;

const ArrivalsOperation = describe({
  id: 'getBenchArrivals',
  tag: 'runs',
  summary: 'When benchmarks were ordered, as a trace that can be replayed',
  query: ArrivalsQuerySchema,
  answers: {
    200: { description: 'A JSON object a line', content: { 'application/jsonl': Type.String() } },
  },
});

const RunOperation = describe({
  id: 'getRun',
  tag: 'runs',
  summary: 'A run as it is, with its result when it has one',
  headers: WaitHeadersSchema,
  answers: { 200: json(RunSchema, 'The run') },
  problems: ['unknown-run'],
});

const CancelOperation = describe({
  id: 'cancelRun',
  tag: 'runs',
  summary: 'Cancels a run',
  description:
    'One that waits ends at once, one under way as soon as its processes are gone. Again it changes nothing.',
  answers: { 202: json(RunSummarySchema, 'The run, cancelled or about to be', { location: 'of the run' }) },
  problems: ['unknown-run', 'run-ended', 'store-not-written'],
});

const ListOperation = describe({
  id: 'listRuns',
  tag: 'runs',
  summary: 'The runs, the newest first',
  query: RunQuerySchema,
  answers: { 200: json(RunListSchema, 'A page of them', NEXT_PAGE) },
});

const RemoveOperation = describe({
  id: 'removeRun',
  tag: 'runs',
  summary: 'Removes a run that is over',
  description:
    'Its record, timeline and trace, and the Idempotency-Key of its order. Artifacts stay as long as something uses them. Where no full run of a model is left, it is worked through again.',
  answers: { 204: { description: 'It is gone' } },
  problems: ['unknown-run', 'run-not-ended', 'store-not-written'],
});

/** Runs of any kind: to read, to cancel and to remove them. */
export function addBenchRoutes(app: FastifyInstance, agent: Agent, waits: RunWaits): void {
  app.get('/bench/arrivals', ArrivalsOperation, async (request, reply) => {
    const { limit, ...query } = request.query as ArrivalsQueryString;
    const lines = agent.benchArrivals({ ...query, limit: Number(limit ?? MOST_ARRIVALS) });
    return reply.type('application/jsonl; charset=utf-8').send([...lines].join(''));
  });
  app.get<{ Params: { id: string } }>('/bench/:id', RunOperation, async (request, reply) => {
    const { id } = request.params;
    await waits.preferred(id, request, reply);
    const run = agent.getRun(id);
    if (run !== undefined) return runResource(run, agent.outlook.etaOf(run));
    return sendProblem(reply, [unknownRun(id)]);
  });
  app.delete<{ Params: { id: string } }>('/bench/:id', RemoveOperation, async (request, reply) => {
    const removed = await agent.removeRun(request.params.id);
    return removed.ok ? reply.code(204).send() : sendProblem(reply, [removed.error]);
  });
  app.post<{ Params: { id: string } }>('/bench/:id/cancel', CancelOperation, async (request, reply) => {
    const cancelled = agent.cancelRun(request.params.id);
    if (!cancelled.ok) return sendProblem(reply, [cancelled.error]);
    return reply.code(202).header('location', runPath(cancelled.value.id)).send(runSummary(cancelled.value));
  });
  app.get('/bench', ListOperation, async (request, reply) => {
    const { limit = DEFAULT_LIMIT, ...query } = request.query as RunQueryString;
    const { elements, last } = cutPage(agent.listRuns({ ...query, limit: Number(limit) + 1 }), Number(limit));
    const runs = elements.map(runSummary);
    if (last === undefined) return { runs };
    return { runs, next: linkNext(reply, '/bench', { ...query, limit, before: last.id }) };
  });
}
