import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import {
  CompareQuerySchema,
  type CompareQueryString,
  RunsComparisonSchema,
  SamplesQuerySchema,
  type SamplesQueryString,
} from '../api/figures-schema.ts';
import { json } from '../api/operation.ts';
import { RunResultSchema } from '../api/run-result-schema.ts';
import type { Problem } from '../core/problem.ts';
import { problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { isEnded } from '../core/run-terms.ts';
import type { Agent } from '../jobs/agent.ts';
import { compareRuns } from '../jobs/compare-runs.ts';
import { type LatencyRow, latencyRows } from '../jobs/latency-rows.ts';
import { describe } from './openapi/describe.ts';
import { sendProblem } from './problem-response.ts';
import { unknownRun, withoutResult } from './run-resource.ts';

const RETRY_AFTER_SECONDS = 5;

const ResultOperation = describe({
  id: 'getRunResult',
  tag: 'runs',
  summary: 'What a run found out, alone',
  answers: { 200: json(RunResultSchema, 'The result') },
  problems: ['unknown-run', 'run-not-ended'],
});

const SamplesOperation = describe({
  id: 'getRunSamples',
  tag: 'runs',
  summary: 'The latencies that a run measured',
  description:
    'As the run kept them: how many queries took between `fromSeconds` and `toSeconds`, both included, to three significant ' +
    'digits; not every query by itself.',
  query: SamplesQuerySchema,
  answers: {
    200: {
      description:
        'A row for each range of latencies of each variant in each measurement, the shortest first',
      content: { 'application/jsonl': Type.String(), 'text/csv': Type.String() },
    },
  },
  problems: ['unknown-run', 'run-not-ended'],
});

const CompareOperation = describe({
  id: 'compareRuns',
  tag: 'runs',
  summary: 'What two runs measured, against each other, or the variants of one',
  query: CompareQuerySchema,
  answers: { 200: json(RunsComparisonSchema, 'Ratios with their intervals, and what they say together') },
  problems: ['unknown-run', 'run-not-ended', 'unknown-variant', 'nothing-to-compare'],
});

/** What runs measured, for whoever wants the figures alone. */
export function addFigures(app: FastifyInstance, agent: Pick<Agent, 'getRun'>): void {
  app.get<{ Params: { id: string } }>('/bench/:id/result', ResultOperation, async (request, reply) => {
    const result = resultOf(agent, request.params.id);
    if (result.ok) return result.value;
    if (result.error.kind === 'run-not-ended') reply.header('retry-after', RETRY_AFTER_SECONDS);
    return sendProblem(reply, [result.error]);
  });
  app.get<{ Params: { id: string } }>('/bench/:id/samples', SamplesOperation, async (request, reply) => {
    const { format = 'jsonl' } = request.query as SamplesQueryString;
    const result = resultOf(agent, request.params.id);
    if (!result.ok) return sendProblem(reply, [result.error]);
    const rows = latencyRows(result.value);
    return format === 'csv'
      ? reply.type('text/csv; charset=utf-8').send(csvOf(rows))
      : reply
          .type('application/jsonl; charset=utf-8')
          .send(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  });
  app.get('/bench/compare', CompareOperation, async (request, reply) => {
    const { base, head, ...variants } = request.query as CompareQueryString;
    const results: unknown[] = [];
    for (const [field, id] of Object.entries({ base, head })) {
      const result = resultOf(agent, id);
      if (!result.ok) return sendProblem(reply, [{ ...result.error, place: { field: `/${field}` } }]);
      results.push(result.value);
    }
    const compared = compareRuns({
      base: { id: base, result: results[0] },
      head: { id: head, result: results[1] },
      ...variants,
    });
    return compared.ok ? { base, head, ...compared.value } : sendProblem(reply, [compared.error]);
  });
}

function resultOf(agent: Pick<Agent, 'getRun'>, id: string): Result<unknown, Problem> {
  const run = agent.getRun(id);
  if (run === undefined) return err(unknownRun(id));
  if (run.result !== undefined) return ok(run.result);
  if (isEnded(run)) return err(withoutResult(run));
  return err(
    problem('run-not-ended', `the run '${id}' is ${run.state}`, {
      hint: 'GET /bench/{id}/events tells when it ends',
    }),
  );
}

const COLUMNS: readonly (keyof LatencyRow)[] = [
  'suite',
  'measurement',
  'scenario',
  'variant',
  'fromSeconds',
  'toSeconds',
  'count',
];

/** RFC 4180. Names of suites, measurements and variants have no characters that need quotes. */
function csvOf(rows: readonly LatencyRow[]): string {
  const lines = rows.map((row) => COLUMNS.map((column) => row[column]).join(','));
  return [COLUMNS.join(','), ...lines, ''].join('\r\n');
}
