import { describe, expect, it } from 'vitest';
import { renderMovementPage } from '../../../../src/cli/explain/movement-page.ts';
import { renderMovement } from '../../../../src/cli/explain/movement-report.ts';
import type { Movement } from '../../../../src/jobs/explain/movement.ts';

const HOSTILE = '<script>alert(1)</script>';

function movement(more: Partial<Movement> = {}): Movement {
  return {
    kind: 'moved',
    reference: '/models/old.onnx',
    candidate: '/models/new.onnx',
    split: 'eval',
    samples: 8,
    task: 'classification',
    metric: { name: 'top1', label: 'top-1', better: 'higher' },
    referenceFigure: 0.75,
    whole: { sqnrDb: 12.5, changedAnswers: 1, figure: 0.5 },
    nodes: [
      {
        node: 'second',
        op: 'Conv',
        depth: 3,
        sqnrDb: 9.5,
        inputsSqnrDb: null,
        changed: ['the range of its result was [0, 1]'],
      },
      { node: 'third', op: 'Conv', depth: 4, sqnrDb: 8, inputsSqnrDb: 9.5, changed: [] },
    ],
    onlyBefore: [],
    onlyAfter: ['added'],
    notes: [],
    seconds: 1,
    peakRssBytes: 1e6,
    ...more,
  };
}

describe('renderMovement', () => {
  it('prints what moved, and what is set otherwise', () => {
    const printed = renderMovement(movement());
    expect(printed).toContain('12.50 dB, 1 of 8 answers changed, top-1 0.5 (before 0.75)');
    expect(printed).toMatch(/^1 +second +Conv +9\.5 +none +yes$/m);
    expect(printed).toMatch(/^2 +third +Conv +8\.0 +9\.5 +no$/m);
    expect(printed).toContain('second:\n     the range of its result was [0, 1]');
    expect(printed).toContain('only now    1 nodes: added');
  });

  it('says where nothing is set otherwise in what moved, and only there', () => {
    const words = 'nothing is set otherwise in any node that both have';
    const unchanged = movement().nodes.map((node) => ({ ...node, changed: [] }));
    expect(renderMovement(movement({ nodes: unchanged }))).toContain(words);
    expect(renderMovement(movement())).not.toContain(words);
    expect(renderMovement(movement({ nodes: [] }))).not.toContain(words);
  });

  it('says that nothing moved', () => {
    expect(renderMovement(movement({ nodes: [], onlyAfter: [] }))).toContain('no result of a node moved');
  });
});

describe('renderMovementPage', () => {
  it('shows what moved through the model, and lets no name of a model become a part of the page', () => {
    const [first, second] = movement().nodes;
    const nodes = [{ ...first, node: HOSTILE, changed: [HOSTILE] }, second] as Movement['nodes'];
    const page = renderMovementPage(
      movement({ nodes, onlyBefore: [HOSTILE], candidate: HOSTILE, notes: [HOSTILE] }),
    );
    expect(page).toContain('Error through the depth of the model');
    expect(page).toContain("default-src 'none'");
    expect(page).not.toContain('<script');
  });
});
