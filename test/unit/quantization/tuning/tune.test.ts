import { describe, expect, it } from 'vitest';
import type { Draft } from '../../../../src/quantization/tuning/draft.ts';
import { runPasses } from '../../../../src/quantization/tuning/tune.ts';
import type { TuningPass, TuningTools } from '../../../../src/quantization/tuning/tuning-pass.ts';

/** A draft that is known by one range, which is also its accuracy in dB. */
const draftOf = (sqnrDb: number): Draft =>
  ({ ranges: new Map([['x', { min: 0, max: sqnrDb }]]) }) as unknown as Draft;
const figureOf = ({ ranges }: Draft) => ranges.get('x')?.max ?? Number.NaN;

/** Every sample tells the same, so that what is better is so surely. */
const TOOLS = {
  judge: async (draft: Draft) => figureOf(draft),
  noiseShares: async (draft: Draft) => [1, 1, 1].map((noise) => noise / 10 ** (figureOf(draft) / 10)),
} as Partial<TuningTools> as TuningTools;

/** A pass that adds so many dB. */
const adds = (name: string, gainDb: number): TuningPass => ({
  name,
  run: async (draft) => ({ draft: draftOf(figureOf(draft) + gainDb), changed: 2, reason: `${gainDb} dB` }),
});
const idle: TuningPass = { name: 'idle', run: async () => ({ changed: 0, reason: 'nothing here' }) };

const clock = () => {
  let nowNs = 0n;
  return {
    nowNs: () => {
      nowNs += 500_000_000n;
      return nowNs;
    },
  } as Parameters<typeof runPasses>[3]['clock'];
};

describe('runPasses', () => {
  it('keeps what makes the output better, and gives it to the next pass', async () => {
    const { draft, report } = await runPasses(draftOf(10), [adds('one', 2), adds('two', 3)], TOOLS, {
      clock: clock(),
    });
    expect(figureOf(draft)).toBe(15);
    expect(report).toEqual({
      sqnrDb: { before: 10, after: 15 },
      passes: [
        { pass: 'one', changed: 2, kept: true, sqnrDb: 12, reason: '2 dB', seconds: 0.5 },
        { pass: 'two', changed: 2, kept: true, sqnrDb: 15, reason: '3 dB', seconds: 0.5 },
      ],
      seconds: 2.5,
    });
  });

  it.each([-3, 0, Number.NaN, Number.NEGATIVE_INFINITY])('undoes a pass that gains %d dB', async (gainDb) => {
    const { draft, report } = await runPasses(draftOf(10), [adds('bad', gainDb), adds('good', 1)], TOOLS, {
      clock: clock(),
    });
    expect(figureOf(draft)).toBe(11);
    expect(report.passes.map(({ pass, kept, sqnrDb }) => ({ pass, kept, sqnrDb }))).toEqual([
      { pass: 'bad', kept: false, sqnrDb: 10 + gainDb },
      { pass: 'good', kept: true, sqnrDb: 11 },
    ]);
  });

  it('undoes a pass of which the gain may be chance, and says so', async () => {
    const doubtful = {
      ...TOOLS,
      noiseShares: async (draft: Draft) => (figureOf(draft) === 10 ? [3, 1, 1] : [1, 1.1, 1.1]),
    };
    const { draft, report } = await runPasses(draftOf(10), [adds('lucky', 2)], doubtful, { clock: clock() });
    expect(figureOf(draft)).toBe(10);
    expect(report.sqnrDb).toEqual({ before: 10, after: 10 });
    expect(report.passes).toMatchObject([
      { kept: false, sqnrDb: 12, reason: expect.stringMatching(/^2 dB; the gain is no larger than/) },
    ]);
  });

  it('tells of a pass that finds nothing to do, and of each before it begins', async () => {
    const told: [number, string][] = [];
    const { report } = await runPasses(draftOf(10), [idle, adds('one', 2)], TOOLS, {
      clock: clock(),
      onPass: (done, pass) => told.push([done, pass]),
    });
    expect(report.passes[0]).toEqual({
      pass: 'idle',
      changed: 0,
      kept: false,
      reason: 'nothing here',
      seconds: 0.5,
    });
    expect(told).toEqual([
      [0, 'idle'],
      [1, 'one'],
    ]);
  });
});
