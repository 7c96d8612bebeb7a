import { describe, expect, it } from 'vitest';
import { renderEvaluations } from '../../../src/cli/evaluation-report.ts';
import type { ComparedFigure } from '../../../src/evaluation/compared-figure.ts';
import type { GoldenDrift, ModelEvaluation } from '../../../src/jobs/evaluate-task.ts';
import { evaluationOf } from '../../support/pipeline-result.ts';

function interval(lower: number, upper: number) {
  return { lower, upper, confidence: 0.95 };
}

function figure(name: string, more: Partial<ComparedFigure>): ComparedFigure {
  return {
    name,
    label: name,
    better: 'higher',
    unit: 'proportion',
    value: null,
    interval: null,
    reference: null,
    referenceInterval: null,
    loss: null,
    lossInterval: null,
    ...more,
  };
}

const TOP1 = figure('top1', {
  label: 'top-1',
  value: 0.9,
  reference: 0.92,
  referenceInterval: interval(0.81, 0.98),
});
const TOP5 = figure('top5', { label: 'top-5', value: 0.98, reference: 0.99 });

function without<K extends keyof ModelEvaluation>(evaluation: ModelEvaluation, ...keys: readonly K[]) {
  return Object.fromEntries(
    Object.entries(evaluation).filter(([key]) => !keys.includes(key as K)),
  ) as unknown as ModelEvaluation;
}

const CLASSIFIER = evaluationOf({ figures: [TOP1, TOP5], verdictReason: 'the loss is small' });

describe('the report of an evaluation', () => {
  it('shows a classifier with labels, and the changed answers with who is right', () => {
    const changes = [
      {
        index: 3,
        id: 'cats/b.jpg',
        reference: 'cat',
        candidate: 'dog',
        referenceRight: true,
        candidateRight: false,
      },
      { index: 9, reference: 'class 1', candidate: 'class 2', referenceRight: false, candidateRight: true },
    ];
    const flipped = { count: 2, indices: [3, 9] };
    const other = evaluationOf({
      variant: 'int4',
      model: 'int4.onnx',
      figures: [
        { ...TOP1, value: 0.5 },
        { ...TOP5, value: null },
      ],
      agreement: 0.5,
      sqnrDb: null,
      cosine: null,
      verdict: 'regressed',
      verdictReason: 'the loss is large',
    });
    expect(renderEvaluations([{ ...CLASSIFIER, changes, flipped }, other])).toBe(
      `float32: top-1 92.00 % (95 %: 81.00 % to 98.00 %), top-5 99.00 % on 50 samples

model                  n    top-1    top-5  agreement  SQNR dB    cosine  verdict
/artifacts/int8.onnx  50  90.00 %  98.00 %    96.00 %    30.00  0.999000  non_inferior
int4.onnx             50  50.00 %        –    50.00 %        –         –  regressed

int8: the loss is small
  cats/b.jpg: cat (right) → dog (wrong)
  sample 9: class 1 (wrong) → class 2 (right)
int4: the loss is large`,
    );
  });

  it('shows a classifier without labels, whose answers nobody knows to be right', () => {
    const changes = Array.from({ length: 7 }, (_, index) => ({ index, reference: 'a', candidate: 'b' }));
    const unlabelled = evaluationOf({
      figures: [figure('top1', { label: 'top-1' })],
      verdict: 'inconclusive',
      verdictReason: 'the answer changed on 9 of 50 items',
      changes,
      flipped: { count: 9, indices: [] },
    });
    expect(renderEvaluations([unlabelled])).toBe(
      `model                  n  agreement  SQNR dB    cosine  verdict
/artifacts/int8.onnx  50    96.00 %    30.00  0.999000  inconclusive

int8: the answer changed on 9 of 50 items
  sample 0: a → b
  sample 1: a → b
  sample 2: a → b
  sample 3: a → b
  sample 4: a → b
  and 4 more changed answers (--changed writes them all)`,
    );
  });

  it('shows detections by their first three figures, and outputs of an earlier evaluation as such', () => {
    const figures = ['mAP', 'mAP 50', 'mAP 75', 'mAP small'].map((label, index) =>
      figure(`map_${index}`, { label, value: 0.4 - index / 100, reference: 0.41 - index / 100 }),
    );
    expect(
      renderEvaluations([evaluationOf({ figures, referenceReused: true, verdictReason: 'close' })]),
    ).toBe(
      `float32: mAP 41.00 %, mAP 50 40.00 %, mAP 75 39.00 % on 50 samples, outputs of an earlier evaluation

model                  n      mAP   mAP 50   mAP 75  agreement  SQNR dB    cosine  verdict
/artifacts/int8.onnx  50  40.00 %  39.00 %  38.00 %    96.00 %    30.00  0.999000  non_inferior

int8: close`,
    );
  });

  it('shows figures of a regression as numbers, not as shares', () => {
    const mae = figure('mae', {
      label: 'MAE',
      better: 'lower',
      unit: 'number',
      value: 12.3456,
      reference: 0.001_234_56,
      referenceInterval: interval(0.001, 12_000_000),
    });
    expect(renderEvaluations([evaluationOf({ figures: [mae], verdictReason: 'worse' })])).toBe(
      `float32: MAE 0.001235 (95 %: 0.001 to 12000000) on 50 samples

model                  n    MAE  agreement  SQNR dB    cosine  verdict
/artifacts/int8.onnx  50  12.35    96.00 %    30.00  0.999000  non_inferior

int8: worse`,
    );
  });

  it('shows outputs alone where there are no answers, and says that they are identical', () => {
    const plain = without(
      evaluationOf({ identical: true, sqnrDb: null, cosine: 1 }),
      'figures',
      'agreement',
      'top1',
    );
    expect(renderEvaluations([plain])).toBe(
      `model                  n  agreement  SQNR dB      cosine  verdict
/artifacts/int8.onnx  50          –  identical  1.000000  non_inferior

int8: the loss is within the budget`,
    );
  });

  it('lists samples that were left out, once, whatever the number of candidates', () => {
    const skipped = {
      count: 7,
      indices: [],
      problems: ['sample 2: no picture (b.png)', 'sample 4: too long'],
    };
    const text = renderEvaluations([
      { ...CLASSIFIER, skipped },
      { ...CLASSIFIER, skipped },
    ]);
    expect(text.split('\n').slice(-4)).toEqual([
      '',
      '7 samples could not be read and were left out:',
      '  sample 2: no picture (b.png)',
      '  sample 4: too long',
    ]);
    expect(text.match(/left out/g)).toHaveLength(1);
  });

  it.each<[GoldenDrift['drift'], string]>([
    ['none', 'int8: gives the same outputs on 50 samples as on 2026-01-31 (ONNX Runtime 1.29.0)'],
    [
      'numeric',
      'int8: outputs differ by up to 0.00123 since 2026-01-31 (ONNX Runtime 1.29.0), answers do not',
    ],
    [
      'answers',
      'int8: 3 of 50 answers changed since 2026-01-31 (ONNX Runtime 1.29.0), though the model did not',
    ],
  ])('tells what became of the outputs of an earlier day: %s', (drift, line) => {
    const recorded = {
      onnxRuntimeVersion: '1.29.0',
      cpuModel: 'a processor',
      recordedWallMs: Date.UTC(2026, 0, 31, 23, 59),
    };
    const changed = { count: 3, indices: [] };
    const found = { recorded, n: 50, drift, changed, maxAbsError: 0.001_234 };
    expect(
      renderEvaluations([{ ...CLASSIFIER, drift: found }])
        .split('\n')
        .at(-1),
    ).toBe(line);
  });

  it.each([
    [true, 'int8: its outputs are recorded; later evaluations tell when they change'],
    [false, 'int8: its outputs are not recorded, as they are too large or a sample failed'],
  ])('tells whether outputs were recorded: %s', (goldenRecorded, line) => {
    expect(
      renderEvaluations([{ ...CLASSIFIER, goldenRecorded }])
        .split('\n')
        .at(-1),
    ).toBe(line);
  });
});
