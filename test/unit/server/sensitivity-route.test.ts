import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toJson } from '../../../src/core/json.ts';
import type { Explanation } from '../../../src/jobs/explain/explanation.ts';
import type { ModelView } from '../../../src/jobs/model-view.ts';
import { ask, ID, serve } from '../../support/server.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const PATH = '/models/tiny/variants/int8/sensitivity';

const EXPLANATION: Explanation = {
  kind: 'quantized',
  reference: '/models/fp32.onnx',
  candidate: '/artifacts/x.onnx',
  split: 'eval',
  samples: 4,
  task: 'classification',
  whole: { sqnrDb: 30, changedAnswers: 0 },
  simulated: { sqnrDb: 30, changedAnswers: 0 },
  nodes: [
    {
      node: 'conv',
      op: 'Conv',
      depth: 0,
      output: 'y',
      inputs: ['x'],
      alone: { sqnrDb: null, changedAnswers: 0 },
      without: { sqnrDb: null, gainDb: null },
      own: { sqnrDb: null },
      cause: 'none',
      reason: 'it loses nothing: its weights lie on the grid already',
      advice: [],
    },
  ],
  tensors: [{ tensor: 'x', min: 0, max: 1 }],
  depth: [{ tensor: 'y', node: 'conv', depth: 0, accumulatedSqnrDb: null }],
  unpaired: [],
  measured: { alone: 1, of: 1 },
  notes: [],
  seconds: 1,
  peakRssBytes: 1,
};

function serveModel(explainedBy: string | undefined, text: string | undefined) {
  const file = join(temporaryFolder(), 'sensitivity-int8.json');
  if (text !== undefined) writeFileSync(file, text);
  const variant = {
    variant: 'int8',
    artifact: 'f'.repeat(64),
    bench: [],
    speedUps: [],
    ...(explainedBy === undefined ? {} : { explainedBy }),
  };
  const view: ModelView = { name: 'tiny', task: 'classification', variants: [variant] };
  return serve({
    listModels: () => [view],
    sensitivity: (run, name) => (run === ID && name === 'int8' ? file : undefined),
  });
}

describe('GET /models/{model}/variants/{variant}/sensitivity', () => {
  it('gives what the run found out that explained the variant, and the model says where', async () => {
    const { app } = serveModel(ID, toJson(EXPLANATION));
    const answer = await ask(app, PATH);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.json()).toEqual(EXPLANATION);
    const again = await ask(app, { url: PATH, headers: { 'if-none-match': String(answer.headers['etag']) } });
    expect(again.statusCode).toBe(304);
    const model = (await ask(app, '/models/tiny')).json<{ variants: readonly { sensitivity?: string }[] }>();
    expect(model.variants[0]).toMatchObject({ sensitivity: PATH });
    expect(model.variants[0]).not.toHaveProperty('explainedBy');
  });

  it.each([
    ['of a variant that no run explained', undefined, toJson(EXPLANATION), PATH, 'not-explained'],
    ['that was removed with its run', ID, undefined, PATH, 'not-explained'],
    [
      'of a variant that is not there',
      ID,
      toJson(EXPLANATION),
      PATH.replace('int8', 'nope'),
      'not-explained',
    ],
    [
      'of a variant like a path',
      ID,
      toJson(EXPLANATION),
      PATH.replace('int8', '..%2F..%2Fint8'),
      'not-explained',
    ],
    ['of a model that is not there', ID, toJson(EXPLANATION), PATH.replace('tiny', 'nope'), 'no-such-model'],
  ])('answers 404 for one %s', async (_what, explainedBy, text, url, kind) => {
    const answer = await ask(serveModel(explainedBy, text).app, url);
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ type: `/problems/${kind}`, hint: expect.any(String) });
  });
});
