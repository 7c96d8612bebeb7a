import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { json } from '../api/operation.ts';
import { TimelineSchema } from '../api/timeline-schema.ts';
import { problem } from '../core/problem.ts';
import type { RunRecords } from '../jobs/run-records.ts';
import { describe } from './openapi/describe.ts';
import { sendProblem } from './problem-response.ts';

const DEFAULT_POINTS = 600;
const RETRY_AFTER_SECONDS = 1;

const seconds = Type.Optional(
  Type.String({
    pattern: '^[0-9]{1,9}(\\.[0-9]{1,9})?$',
    description: "seconds since the timeline's first snapshot, such as 90 or 1.5",
  }),
);

/** The query string of `GET /bench/{id}/timeline`. */
const TimelineQuerySchema = Type.Object(
  {
    from: seconds,
    to: seconds,
    points: Type.Optional(
      Type.String({ pattern: '^([1-9][0-9]{0,3}|10000)$', description: 'a whole number from 1 to 10000' }),
    ),
    columns: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1000,
        description: 'names of columns between commas, such as cpu,disks.*.writtenBytes',
      }),
    ),
    counters: Type.Optional(Type.Enum(['rate', 'total'])),
  },
  { additionalProperties: false },
);

type TimelineQuery = Type.Static<typeof TimelineQuerySchema>;

const TimelineOperation = describe({
  id: 'getRunTimeline',
  tag: 'runs',
  summary: 'What the host did during a run, as columns over time',
  query: TimelineQuerySchema,
  answers: { 200: json(TimelineSchema, 'The columns that were asked for') },
  problems: ['unknown-run', 'unknown-column', 'too-many-columns', 'too-many-readers'],
});

/** Columns of a run's timeline over time, for plots; also of a run that is under way. A worker reads them, the loop does not wait. */
export function addTimelineRoute(app: FastifyInstance, records: Pick<RunRecords, 'readTimeline'>): void {
  app.get<{ Params: { id: string } }>('/bench/:id/timeline', TimelineOperation, async (request, reply) => {
    const { from, to, points, columns, counters } = request.query as TimelineQuery;
    const read = await records.readTimeline(request.params.id, {
      points: Number(points ?? DEFAULT_POINTS),
      rates: counters !== 'total',
      ...(from === undefined ? {} : { fromSeconds: Number(from) }),
      ...(to === undefined ? {} : { toSeconds: Number(to) }),
      ...(columns === undefined ? {} : { columns: columns.split(',') }),
    });
    if (read === undefined) {
      return sendProblem(reply, [
        problem('unknown-run', `there is no run '${request.params.id}' with a timeline`, {
          hint: 'GET /bench lists the runs; one that waits has none yet',
        }),
      ]);
    }
    if (!read.ok) {
      if (read.error.kind === 'too-many-readers') reply.header('retry-after', RETRY_AFTER_SECONDS);
      return sendProblem(reply, [read.error]);
    }
    // The worker has made the JSON.
    return reply
      .type('application/json; charset=utf-8')
      .serializer((text: unknown) => String(text))
      .send(read.value);
  });
}
