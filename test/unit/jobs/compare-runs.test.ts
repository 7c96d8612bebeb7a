import { describe, expect, it } from 'vitest';
import { compareRuns } from '../../../src/jobs/compare-runs.ts';
import type { PipelineResult } from '../../../src/jobs/pipeline.ts';
import { benchResultOf, pipelineResultOf, quantizationOf } from '../../support/pipeline-result.ts';
import { unwrap } from '../../support/unwrap.ts';

/** Rounds of one process around a latency, which scatter by a thousandth. */
const roundsAround = (seconds: number) =>
  Array.from({ length: 12 }, (_, round) => {
    const medianSeconds = seconds * (1 + (round % 2) / 1000);
    return {
      round,
      process: 0,
      durationSeconds: 1,
      queries: Math.round(1 / medianSeconds),
      medianSeconds,
      throughput: 1 / medianSeconds,
      otherCpuCores: 0,
    };
  });

const measured = (variant: string, seconds: number, more = {}) =>
  benchResultOf(variant, { rounds: roundsAround(seconds), ...more });

function runOf(
  seconds: Readonly<Record<string, number>>,
  more: Partial<PipelineResult> = {},
): PipelineResult {
  const variants = Object.entries(seconds).map(([variant, latency]) => ({
    variant,
    sizeBytes: 1000,
    bench: [measured(variant, latency)],
    speedUps: [],
  }));
  return pipelineResultOf({ variants, ...more });
}

const compared = (base: unknown, head: unknown, more = {}) =>
  compareRuns({ base: { id: 'A', result: base }, head: { id: 'B', result: head }, ...more });

describe('compareRuns', () => {
  it('compares every variant with its like, and calls the head slower as soon as one is', () => {
    const { verdict, comparisons } = unwrap(
      compared(runOf({ fp32: 0.001, int8: 0.0005 }), runOf({ fp32: 0.001, int8: 0.001 })),
    );
    expect(verdict).toBe('slower');
    expect(
      comparisons.map(({ baseVariant, headVariant, paired, speedUp }) => [
        baseVariant,
        headVariant,
        paired,
        speedUp.outcome,
      ]),
    ).toEqual([
      ['fp32', 'fp32', false, 'not-distinguished'],
      ['int8', 'int8', false, 'slower'],
    ]);
    expect(comparisons[1]?.speedUp.ratio).toBeCloseTo(0.5, 2);
  });

  it('calls the head faster where something is and nothing is slower', () => {
    const { verdict } = unwrap(compared(runOf({ fp32: 0.002 }), runOf({ fp32: 0.001 })));
    expect(verdict).toBe('faster');
  });

  it('claims nothing of what is not valid', () => {
    const invalid = runOf({});
    const head = {
      ...invalid,
      variants: [
        { variant: 'fp32', sizeBytes: 1, speedUps: [], bench: [measured('fp32', 0.1, { valid: false })] },
      ],
    };
    expect(unwrap(compared(runOf({ fp32: 0.001 }), head)).verdict).toBe('invalid');
  });

  it('compares the variants of one run with fp32, round by round', () => {
    const result = runOf({ fp32: 0.001, int8: 0.0005, int4: 0.002 });
    const within = (more = {}) =>
      unwrap(compareRuns({ base: { id: 'A', result }, head: { id: 'A', result }, ...more })).comparisons.map(
        ({ baseVariant, headVariant, paired, speedUp }) => [
          baseVariant,
          headVariant,
          paired,
          speedUp.outcome,
        ],
      );
    expect(within()).toEqual([
      ['fp32', 'int8', true, 'faster'],
      ['fp32', 'int4', true, 'slower'],
    ]);
    expect(within({ baseVariant: 'int8', headVariant: 'int4' })).toEqual([['int8', 'int4', true, 'slower']]);
  });

  it('compares another variant of another run where both are named', () => {
    const { comparisons } = unwrap(
      compared(runOf({ fp32: 0.001 }), runOf({ fp32: 0.003, int8: 0.0005 }), {
        baseVariant: 'fp32',
        headVariant: 'int8',
      }),
    );
    expect(comparisons.map(({ headVariant, speedUp }) => [headVariant, speedUp.outcome])).toEqual([
      ['int8', 'faster'],
    ]);
  });

  it('says what differs in hosts, settings and artifacts', () => {
    const base = runOf({ fp32: 0.001, int8: 0.001 });
    const [fp32, int8] = base.variants;
    const head: PipelineResult = {
      ...base,
      host: { ...base.host, kernel: 'Linux 7.0' },
      variants: [
        {
          ...(fp32 as PipelineResult['variants'][number]),
          sizeBytes: 2000,
          bench: [measured('fp32', 0.001, { threads: 4 })],
        },
        {
          ...(int8 as PipelineResult['variants'][number]),
          quantization: { ...quantizationOf(), reused: false },
        },
      ],
    };
    const { differences, comparisons } = unwrap(compared(base, head));
    expect(differences).toEqual([
      'kernel: Linux 6.0, then Linux 7.0',
      'size of fp32: 1000, then 2000',
      'int8 is another file: …, then int8…',
    ]);
    expect(comparisons[0]?.differences).toEqual(['threads: 1, then 4']);
  });

  it.each([
    ['baseVariant', { baseVariant: 'int2' }],
    ['headVariant', { headVariant: 'int2' }],
  ])('points at a %s that was not measured', (field, more) => {
    const result = compared(runOf({ fp32: 1 }), runOf({ fp32: 1 }), more);
    expect(result).toMatchObject({
      ok: false,
      error: { kind: 'unknown-variant', place: { field: `/${field}` }, hint: 'it measured: fp32' },
    });
  });

  it.each([
    [
      'other scenarios',
      runOf({ fp32: 1 }),
      pipelineResultOf({
        variants: [
          {
            variant: 'fp32',
            sizeBytes: 1,
            speedUps: [],
            bench: [measured('fp32', 1, { scenario: 'offline' })],
          },
        ],
      }),
    ],
    ['other variants', runOf({ int8: 1 }), runOf({ int4: 1 })],
    ['a result of another shape', runOf({ fp32: 1 }), { variants: 'none' }],
    ['a variant of another shape', runOf({ fp32: 1 }), { variants: [{ variant: 'fp32' }] }],
    ['nothing', runOf({ fp32: 1 }), null],
  ])('has nothing to say of %s', (_what, base, head) => {
    expect(compared(base, head)).toMatchObject({ ok: false, error: { kind: 'nothing-to-compare' } });
  });
});
