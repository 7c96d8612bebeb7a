import { basename, dirname } from 'node:path';
import send from '@fastify/send';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problem } from '../core/problem.ts';
import type { Agent } from '../jobs/agent.ts';
import { unknownModel } from './models-route.ts';
import { describe } from './openapi/describe.ts';
import { sendProblem } from './problem-response.ts';

const ANSWERS = {
  200: {
    description: 'The file',
    content: { 'application/octet-stream': null },
    headers: { etag: 'of its content' },
  },
  206: { description: 'The ranges that were asked for', content: { 'application/octet-stream': null } },
  304: { description: 'It is the one that If-None-Match names' },
  412: {
    description: 'It is not the one that If-Match names',
    content: { 'application/octet-stream': null },
  },
  416: { description: 'It has no such bytes', content: { 'application/octet-stream': null } },
};

const FileOperation = describe({
  id: 'getVariantFile',
  tag: 'models',
  summary: 'The file of a quantized variant, whole or by ranges of bytes',
  answers: ANSWERS,
  problems: ['no-such-model', 'unknown-artifact'],
});

const DataOperation = describe({
  id: 'getVariantData',
  tag: 'models',
  summary: 'The external data of a quantized variant, whole or by ranges of bytes',
  description:
    'To be kept beside the file under the name that the answer gives it, by which the model finds it.',
  answers: ANSWERS,
  problems: ['no-such-model', 'unknown-artifact'],
});

interface Asked {
  Params: { model: string; variant: string };
}

type Files = Pick<Agent, 'listModels' | 'records'>;

/** The files of a variant, whole or by ranges of bytes (RFC 9110, 14). */
export function addVariantFiles(app: FastifyInstance, agent: Files): void {
  app.get<Asked>('/models/:model/variants/:variant/file', FileOperation, (request, reply) =>
    sendFile(request, reply, agent, 'file'),
  );
  app.get<Asked>('/models/:model/variants/:variant/data', DataOperation, (request, reply) =>
    sendFile(request, reply, agent, 'data'),
  );
}

async function sendFile(
  request: FastifyRequest<Asked>,
  reply: FastifyReply,
  agent: Files,
  part: 'file' | 'data',
) {
  const { model, variant } = request.params;
  const view = agent.listModels().find(({ name }) => name === model);
  if (view === undefined) return sendProblem(reply, [unknownModel(model, agent)]);
  // The hash comes from a result of our own, never from the request.
  const hash = view.variants.find((known) => known.variant === variant)?.artifact;
  const files = hash === undefined ? undefined : agent.records.artifactFiles(hash);
  if (hash === undefined || files === undefined) {
    return sendProblem(reply, [
      problem('unknown-artifact', `there is no file of a variant '${variant}' of '${model}'`, {
        hint: 'GET /models/{name} shows which variants have an "artifact"; fp32 is the file of the profile itself',
      }),
    ]);
  }
  const path = files[part];
  if (path === undefined) {
    return sendProblem(reply, [
      problem('unknown-artifact', `the variant '${variant}' of '${model}' has no external data`, {
        hint: `its file has all of it: GET /models/${model}/variants/${variant}/file`,
      }),
    ]);
  }
  // Whoever takes it by ranges comes again; meanwhile it was used just now.
  reply.raw.once('close', agent.records.holdArtifact(hash));
  const sent = await send(request.raw, `/${basename(path)}`, {
    root: dirname(path),
    contentType: false,
    // A name that says what is in it never has other content.
    immutable: true,
    maxAge: '1y',
  });
  // The model finds its data by the name that it was written under.
  const name = part === 'data' ? basename(path) : `${model}-${variant}.onnx`;
  return reply
    .code(sent.statusCode)
    .headers(sent.headers)
    .headers({
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="${name}"`,
    })
    .send(sent.stream);
}
