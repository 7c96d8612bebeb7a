import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { renderExplainPage } from '../../../../src/cli/explain/explain-page.ts';
import { renderExplanation } from '../../../../src/cli/explain/explain-report.ts';
import type { ExplainedNode, Explanation } from '../../../../src/jobs/explain/explanation.ts';

const HOSTILE = `<script>alert("1")</script>"'&`;

function node(name: string, more: Partial<ExplainedNode> = {}): ExplainedNode {
  return {
    node: name,
    op: 'Conv',
    depth: 1,
    output: `${name}_out`,
    inputs: ['x'],
    alone: { sqnrDb: 20, changedAnswers: 3, figure: 0.5 },
    without: { sqnrDb: 33, gainDb: 3 },
    own: {
      sqnrDb: 25,
      weightsSqnrDb: 40,
      inputsSqnrDb: 30,
      outputRoundingSqnrDb: 28,
      outputClippingSqnrDb: null,
    },
    accumulatedSqnrDb: 19,
    weights: {
      elements: 4,
      bits: 8,
      scales: 'channel',
      sqnrDb: 40,
      channels: 2,
      deadChannels: 0,
      usedCodes: 4,
      codes: 256,
      cutOffRatio: 0,
      spread: 40,
      channelAbsMax: [1, 40],
      channelScales: [0.1, 0.4],
    },
    workRatio: 0.25,
    cause: 'input-clipping',
    reason: `values of '${name}' lie beyond its range`,
    advice: [`leave it float32 (--exclude '${name}')`],
    ...more,
  };
}

function explanation(nodes: readonly ExplainedNode[], more: Partial<Explanation> = {}): Explanation {
  return {
    kind: 'quantized',
    reference: '/models/fp32.onnx',
    candidate: '/models/int8.onnx',
    split: 'eval',
    samples: 32,
    task: 'classification',
    metric: { name: 'top1', label: 'top-1', better: 'higher' },
    referenceFigure: 0.84375,
    whole: { sqnrDb: 18.5, changedAnswers: 4, figure: 0.75 },
    simulated: { sqnrDb: 18.4, changedAnswers: 4, figure: 0.75 },
    nodes,
    tensors: [
      {
        tensor: 'x',
        min: -2,
        max: 3,
        low: -1,
        high: 1,
        clippedRatio: 0.1,
        usedCodes: 200,
        codes: 256,
        channels: 2,
        zeroChannels: 0,
        channelAbsMax: [1, 2],
        histogram: Array.from({ length: 192 }, (_, bin) => (bin > 50 && bin < 140 ? bin : 0)),
      },
    ],
    depth: [
      { tensor: 'a', node: 'n', depth: 0, accumulatedSqnrDb: 40 },
      { tensor: 'b', node: 'm', depth: 1, accumulatedSqnrDb: null },
    ],
    unpaired: [],
    measured: { alone: nodes.length, of: nodes.length },
    notes: [],
    seconds: 12.3,
    peakRssBytes: 2 ** 28,
    ...more,
  };
}

describe('renderExplainPage', () => {
  it('holds the ranking, how errors add up, and a picture of each tensor', () => {
    const page = renderExplainPage(explanation([node('first'), node('second', { cause: 'weights' })]));
    expect(page).toContain('What single nodes cost at the outputs');
    expect(page).toContain('Error through the depth of the model');
    expect(page).toContain('aria-label="Values of x"');
    expect(page).toContain('aria-label="Channels of the weights of first"');
    expect(page).toContain('values of &#39;first&#39; lie beyond'.replace(/&#39;/g, "'"));
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('lets no name of a model become a part of the page', () => {
    const page = renderExplainPage(
      explanation([node(HOSTILE, { op: HOSTILE, inputs: [HOSTILE] })], {
        candidate: `/models/${HOSTILE}`,
        split: HOSTILE,
        notes: [HOSTILE],
        unpaired: [{ node: HOSTILE, op: HOSTILE, reason: HOSTILE }],
        depth: [
          { tensor: HOSTILE, node: HOSTILE, depth: 0, accumulatedSqnrDb: 1 },
          { tensor: 'b', node: 'm', depth: 1, accumulatedSqnrDb: 2 },
        ],
      }),
    );
    expect(page).not.toContain('<script');
    expect(page).not.toMatch(/"1"/);
    expect(page).toContain('&#60;script&#62;');
  });

  it('allows its own style sheet and nothing else', () => {
    const page = renderExplainPage(explanation([node('first')]));
    const style = /<style>([^<]*)<\/style>/.exec(page)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(page).toContain(
      `content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"`,
    );
    expect(page).not.toMatch(/ style=|https?:\/\/(?!www\.w3\.org)|<img|<link/);
  });

  it('goes without pictures where there is nothing to show', () => {
    const { alone: _, ...unmeasured } = node('first', { inputs: [] });
    const page = renderExplainPage(explanation([unmeasured], { tensors: [], depth: [] }));
    expect(page).not.toContain('Which nodes cost most');
    expect(page).not.toContain('How errors add up');
  });
});

describe('renderExplanation', () => {
  it('prints a ranking, and the reasons with what to do', () => {
    const printed = renderExplanation(explanation([node('first'), node('second')]));
    expect(printed).toContain('as it is      18.50 dB, 4 of 32 answers changed, top-1 0.75 (float32 0.8438)');
    expect(printed).toMatch(
      /^1 +first +Conv +20\.0 +3 +\+3\.0 +25\.0 +40\.0 +30\.0 +28\.0 +19\.0 +25\.0 %$/m,
    );
    expect(printed).toContain(
      "1. first: values of 'first' lie beyond its range\n     leave it float32 (--exclude 'first')",
    );
    expect(printed).toContain('2 of 2 quantized nodes at the outputs');
  });

  it('says what was not measured and not paired', () => {
    const { alone: _, without: __, ...unmeasured } = node('first');
    const printed = renderExplanation(
      explanation([unmeasured], {
        measured: { alone: 0, of: 1, stopped: 'time-limit' },
        unpaired: [{ node: 'odd', op: 'QAttention', reason: 'how it computes with codes is not known here' }],
        notes: ['the samples are made up'],
      }),
    );
    expect(printed).toMatch(/^1 +first +Conv +– +– +25\.0/m);
    expect(printed).toContain(
      '0 of 1 quantized nodes at the outputs, all 1 by themselves; then the time was up',
    );
    expect(printed).toContain('1 QAttention: how it computes with codes is not known here (odd)');
    expect(printed).toContain('note        the samples are made up');
  });
});
