import { describe, expect, it } from 'vitest';
import { summarizeColdStarts } from '../../../src/benchmark/cold-start/cold-start-result.ts';
import { renderColdStarts } from '../../../src/cli/cold-start-report.ts';
import { problem } from '../../../src/core/problem.ts';
import { startOf } from '../benchmark/cold-start/starts.ts';
import { identityOf } from '../benchmark/fakes.ts';

const starts = (count: number, factor: number, more = {}) =>
  Array.from({ length: count }, (_, repetition) =>
    startOf(repetition, { firstAnswerSeconds: 0.4 * factor, ...more }),
  );
const model = (variant: string, records: ReturnType<typeof starts>) => ({
  identity: identityOf(variant),
  records,
  failure: null,
});

describe('renderColdStarts', () => {
  it('shows the parts of a start with its interval, and the ratio to the first model', () => {
    const results = summarizeColdStarts([model('fp32', starts(8, 1)), model('int8', starts(8, 0.5))]);
    const text = renderColdStarts(results, false);
    expect(text).toMatch(/^model +process +runtime +model load +first run +first answer +steady +runs to it/);
    expect(text).toMatch(
      /^fp32 +100 ms +50\.0 ms +200 ms +20\.0 ms +400 ms +\[400 ms, 400 ms\] +4\.00 ms +3 +–$/m,
    );
    expect(text).toMatch(/^int8 .* 0\.50x as long \[0\.50, 0\.50\]$/m);
    expect(text).toContain(
      'first start of int8, not among the 7 above: 200 ms; nothing was read from a disk',
    );
  });

  it('says what the first start read from a disk, what was unsteady, and how shapes differ', () => {
    const records = starts(2, 1, {
      diskReadBytes: 3 * 2 ** 20,
      steady: false,
      firstInferencesSeconds: [0.02, 0.5],
    });
    const text = renderColdStarts(summarizeColdStarts([model('fp32', records)]), true);
    expect(text).toContain('3.00 MiB were read from a disk');
    expect(text).toContain('fp32 did not come to a steady speed in 2 of 2 starts');
    expect(text).toContain('fp32 has 2 input shapes, whose first runs take 20.0 ms to 500 ms');
    expect(text).toContain('inputs are made up');
  });

  it('shows a single start, and dashes for a model that never started', () => {
    const failure = problem('not-onnx', 'no model');
    const results = summarizeColdStarts([model('fp32', starts(1, 1)), { ...model('none', []), failure }]);
    const text = renderColdStarts(results, false);
    expect(text).toMatch(/^fp32 .* 400 ms/m);
    expect(text).toContain('first start of fp32, the only one: 400 ms');
    expect(text).toMatch(/^none +–/m);
  });
});
