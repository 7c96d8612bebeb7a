import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { json } from '../api/operation.ts';
import { ProblemTypeListSchema, ProblemTypeSchema } from '../api/problem-schema.ts';
import {
  isProblemType,
  PROBLEM_TYPES,
  type ProblemType,
  problemPath,
  problemTitle,
} from '../api/problem-types.ts';
import { problem } from '../core/problem.ts';
import { describe } from './openapi/describe.ts';
import { sendPageText, wantsPage } from './page-route.ts';
import { sendProblem } from './problem-response.ts';

const ListOperation = describe({
  id: 'listProblemTypes',
  tag: 'docs',
  summary: 'Every type of problem that this API answers with',
  answers: { 200: json(ProblemTypeListSchema, 'All of them') },
});

const TypeOperation = describe({
  id: 'getProblemType',
  tag: 'docs',
  summary: 'What a type of problem means: where "type" of a problem leads',
  answers: {
    200: {
      description: 'The type, as a page where Accept names HTML',
      content: { 'application/json': ProblemTypeSchema, 'text/html': Type.String() },
      headers: { vary: 'Accept' },
    },
  },
  problems: ['unknown-problem'],
});

/** `GET /problems/{kind}`: what a problem means, for whoever follows its `type`. */
export function addProblemTypes(app: FastifyInstance): void {
  app.get('/problems', ListOperation, async () => ({
    problems: (Object.keys(PROBLEM_TYPES) as ProblemType[]).map(problemType),
  }));
  app.get<{ Params: { kind: string } }>('/problems/:kind', TypeOperation, async (request, reply) => {
    const { kind } = request.params;
    if (!isProblemType(kind)) {
      return sendProblem(reply, [
        problem('unknown-problem', `there is no type of problem '${kind}'`, {
          hint: 'GET /problems lists them',
        }),
      ]);
    }
    reply.header('vary', 'Accept');
    if (!wantsPage(request.headers.accept)) return problemType(kind);
    const { status, meaning, whatToDo } = PROBLEM_TYPES[kind];
    return sendPageText(
      reply,
      problemTitle(kind),
      `<h2>${problemTitle(kind)}</h2>
<p>${meaning}</p>
<p>${whatToDo}</p>
<p class="muted">HTTP ${status} · <code>${problemPath(kind)}</code> · <a href="/problems">all types of problems</a></p>`,
    );
  });
}

function problemType(kind: ProblemType) {
  const { status, meaning, whatToDo } = PROBLEM_TYPES[kind];
  return { type: problemPath(kind), title: problemTitle(kind), status, meaning, whatToDo };
}
