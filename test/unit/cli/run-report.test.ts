import { relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderRun } from '../../../src/cli/run-report.ts';
import type { VariantOutcome } from '../../../src/jobs/pipeline.ts';
import { benchResultOf, pipelineResultOf } from '../../support/pipeline-result.ts';
import { profileOf } from '../../support/profile.ts';

const context = {
  profile: profileOf('tiny'),
  dataDir: '.ptq-agent',
  here: (file: string) => relative('/', file),
};

describe('renderRun', () => {
  it('shows what came of a run as a table, with reasons and where to look', () => {
    expect(renderRun(pipelineResultOf(), context)).toMatchInlineSnapshot(`
      "
      tiny on a processor, 2 CPUs, ONNX Runtime 1.30.0, in 12.3 s

      variant    size  accuracy  95 % interval  agreement  SQNR dB      p50      p99  samples/s  peak memory            speed-up  verdict
      fp32     1000 B   92.00 %  81.00–98.00 %          –        –  1.00 ms  2.00 ms       1000     1.00 MiB                   –  reference
      int8      300 B   90.00 %  78.00–97.00 %    96.00 %     30.0   500 µs  1.00 ms       2000     1.00 MiB  2.00x [1.90, 2.10]  non_inferior

      int8: the loss is within the budget
      int8: 2 of 3 quantized nodes run in int8 on this CPU, made in 1.50 s

      where to look
        int8     data/artifacts/int8.onnx
        daemon   npx ptq-agent serve --data-dir .ptq-agent --profiles profiles
        page     http://127.0.0.1:9477, while the daemon runs
        metrics  curl http://127.0.0.1:9477/metrics
        API      curl -X POST http://127.0.0.1:9477/bench -H "authorization: Bearer $(cat .ptq-agent/token)" -H 'content-type: application/json' -d '{"model":"tiny"}'"
    `);
  });

  it('shows what suites measured in a table of its own, one measurement after the other', () => {
    const [fp32, int8] = pipelineResultOf().variants as [VariantOutcome, VariantOutcome];
    const busy = { suite: 'nightly', measurement: 'busy', scenario: 'server', queries: 700 } as const;
    const withBusy = (outcome: VariantOutcome): VariantOutcome => ({
      ...outcome,
      bench: [...outcome.bench, benchResultOf(outcome.variant, busy)],
      speedUps: outcome.speedUps.flatMap((speedUp) => [
        speedUp,
        { ...speedUp, ratio: 3, lower: 2.9, upper: 3.1 },
      ]),
    });
    const text = renderRun(pipelineResultOf({ variants: [fp32, int8].map(withBusy) }), context);
    expect(text).toMatch(/^measurement +variant +queries/m);
    expect(text).toMatch(
      /^nightly: busy +fp32 +700 .* –\nnightly: busy +int8 +700 .* 3.00x \[2.90, 3.10\]$/m,
    );
    expect(renderRun(pipelineResultOf(), context)).not.toContain('measurement ');
  });

  it('names the suite of a result that is not valid', () => {
    const [fp32] = pipelineResultOf().variants as [VariantOutcome];
    const more = { suite: 'nightly', measurement: 'busy', valid: false, invalidReasons: ['too busy'] };
    const bench = [benchResultOf('fp32', more)];
    const text = renderRun(pipelineResultOf({ variants: [{ ...fp32, bench }] }), context);
    expect(text).toContain('fp32, nightly: busy: not valid: too busy');
  });

  it('says why a measurement is not valid', () => {
    const [fp32] = pipelineResultOf().variants as [VariantOutcome];
    const bench = [benchResultOf('fp32', { valid: false, invalidReasons: ['the host was too busy'] })];
    const text = renderRun(pipelineResultOf({ variants: [{ ...fp32, bench }] }), context);
    expect(text).toContain('fp32, single-stream: not valid: the host was too busy');
  });

  it('says it in words when a variant is slower than its original', () => {
    const [fp32, int8] = pipelineResultOf().variants as [VariantOutcome, VariantOutcome];
    const slower = int8.speedUps.map((speedUp) => ({
      ...speedUp,
      outcome: 'slower' as const,
      ratio: 0.8,
      lower: 0.78,
      upper: 0.82,
    }));
    const text = renderRun(pipelineResultOf({ variants: [fp32, { ...int8, speedUps: slower }] }), context);
    expect(text).toContain('int8, single-stream: slower than fp32 on this host, 0.80x [0.78, 0.82]');
    expect(renderRun(pipelineResultOf(), context)).not.toContain('slower');
  });

  it('shows dashes for what was not measured', () => {
    const text = renderRun(
      pipelineResultOf({ variants: [{ variant: 'fp32', sizeBytes: 10, bench: [], speedUps: [] }] }),
      context,
    );
    expect(text.split('\n').find((line) => line.startsWith('fp32'))).toMatch(/^fp32 +10 B( +–){8}/);
  });

  it('names the folder that a daemon finds the profile in, for both ways to keep profiles', () => {
    const ofFile = (file: string) =>
      renderRun(pipelineResultOf(), { ...context, profile: profileOf('tiny', { file }) });
    expect(ofFile('/profiles/tiny/profile.yaml')).toContain('--profiles profiles\n');
    expect(ofFile('/profiles/tiny.yaml')).toContain('--profiles profiles\n');
    expect(ofFile('/profile.yaml')).toContain('--profiles .\n');
  });
});
