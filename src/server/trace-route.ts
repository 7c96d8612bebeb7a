import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { problem } from '../core/problem.ts';
import type { RunRecords } from '../jobs/run-records.ts';
import { describe } from './openapi/describe.ts';
import { sendProblem } from './problem-response.ts';

/** The query string of `GET /bench/{id}/trace`. */
const TraceQuerySchema = Type.Object(
  { format: Type.Optional(Type.Enum(['xplane', 'perfetto'])) },
  { additionalProperties: false },
);

type TraceQuery = Type.Static<typeof TraceQuerySchema>;

const CONTENT_TYPES = { xplane: 'application/octet-stream', perfetto: 'application/gzip' } as const;

const TraceOperation = describe({
  id: 'getRunTrace',
  tag: 'runs',
  summary: "The trace of a run, for TensorFlow's profiler or for Perfetto",
  query: TraceQuerySchema,
  answers: {
    200: {
      description: 'The file',
      content: { 'application/octet-stream': null, 'application/gzip': null },
      headers: { 'content-disposition': 'a name for it' },
    },
  },
  problems: ['unknown-run'],
});

/** The trace of a run, for TensorFlow's profiler or for Perfetto. */
export function addTraceRoute(
  app: FastifyInstance,
  records: Pick<RunRecords, 'traceFile' | 'beginReadingTrace'>,
): void {
  app.get<{ Params: { id: string } }>('/bench/:id/trace', TraceOperation, async (request, reply) => {
    const { id } = request.params;
    const { format = 'xplane' } = request.query as TraceQuery;
    const trace = records.traceFile(id, format);
    const handle = trace === undefined ? undefined : await openOrNothing(trace.file);
    if (trace === undefined || handle === undefined) {
      const hint =
        trace === undefined
          ? 'order a run with "trace": true, or add "trace" to its profile; GET /bench/{id} says why a trace is missing'
          : 'the oldest traces make room for new ones; see "traces" in the settings';
      return sendProblem(reply, [
        problem('unknown-run', `there is no run '${id}' that has a trace`, { hint }),
      ]);
    }
    const ended = records.beginReadingTrace(trace.run);
    const stream = handle.createReadStream().once('close', ended);
    const { size } = await handle.stat();
    return reply
      .type(CONTENT_TYPES[format])
      .header('content-length', size)
      .header('content-disposition', `attachment; filename="${trace.run}.${basename(trace.file)}"`)
      .send(stream);
  });
}

/** Undefined where it is not there any more. */
async function openOrNothing(file: string) {
  try {
    return await open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
