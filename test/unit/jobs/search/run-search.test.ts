import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rankByAccuracy } from '../../../../src/jobs/search/rank-by-accuracy.ts';
import { runSearch, type SearchProgress, type SearchStage } from '../../../../src/jobs/search/run-search.ts';
import { candidateOf, type FakeCandidate, type FakePorts, fakePorts } from '../../../support/fake-search.ts';

const stage = (
  space: readonly FakeCandidate[],
  survivors: SearchStage['survivors'] = 'half',
): SearchStage => ({
  name: 'recipes',
  expected: space.map(({ effort = 'plain' }) => effort),
  next: () => ({ candidates: space.map(candidateOf), leftOut: [] }),
  survivors,
});

function search(
  stages: readonly SearchStage[],
  ports: FakePorts,
  more: { readonly onProgress?: (progress: SearchProgress) => void } = {},
) {
  return runSearch({ stages, goals: {}, float32: { sizeBytes: 10_000 }, ...more }, ports);
}

/** Spaces of some families whose members have the same speed, as those of real searches have. */
const spaces = fc
  .array(
    fc.record({
      family: fc.constantFrom('a', 'b', 'c'),
      seconds: fc.integer({ min: 1, max: 30 }),
      sizeBytes: fc.integer({ min: 100, max: 5000 }),
      loss: fc.constantFrom(0, 0.005, 0.02, 0.1),
      sqnrDb: fc.integer({ min: 5, max: 60 }),
      fails: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((space) =>
    space.map(
      ({ fails, ...of }, index): FakeCandidate => ({
        ...of,
        label: `${of.family}${index}`,
        latencySeconds: { a: 0.002, b: 0.004, c: 0.008 }[of.family] ?? 1,
        ...(fails ? { problem: { kind: 'worker-crashed', message: 'it died' } } : {}),
      }),
    ),
  );

describe('runSearch', () => {
  it('judges all on few samples, the better half of each family on all, and times the best', async () => {
    const space: FakeCandidate[] = [
      { label: 'bad', family: 'static', sqnrDb: 10 },
      { label: 'good', family: 'static', sqnrDb: 30 },
      { label: 'other', sqnrDb: 50, latencySeconds: 0.02 },
    ];
    const ports = fakePorts(space);
    const outcome = await search([stage(space)], ports);
    expect(ports.asked).toEqual([
      'build bad',
      'judge bad on few',
      'build good',
      'judge good on few',
      'build other',
      'judge other on few',
      'judge good on all',
      'judge other on all',
      'time 2',
    ]);
    expect(outcome).toMatchObject({
      ended: 'finished',
      choice: { chosen: { candidate: { label: 'good' } } },
    });
    expect(outcome.entries[0]).toMatchObject({ eliminated: 'one of its kind is more accurate' });
    expect(ports.delivered).toEqual(['good']);
  });

  it('times what seems to keep the budget before what is closer to float32 and does not', async () => {
    const others: FakeCandidate[] = Array.from({ length: 7 }, (_, at) => ({
      label: `other ${at}`,
      latencySeconds: 0.009,
    }));
    const space: FakeCandidate[] = [
      ...others,
      { label: 'close', family: 'static', sqnrDb: 25, loss: 0.02, latencySeconds: 0.002 },
      { label: 'close too', family: 'static', sqnrDb: 24, loss: 0.02, latencySeconds: 0.002 },
      { label: 'safe', family: 'static', sqnrDb: 22, loss: 0, latencySeconds: 0.002 },
    ];
    const { choice } = await search([stage(space, 3)], fakePorts(space));
    expect(choice?.chosen.candidate.label).toBe('safe');
  });

  it('saves the best so far from the first candidate on', async () => {
    const space: FakeCandidate[] = [
      { label: 'first', sizeBytes: 3000, loss: 0.2 },
      { label: 'worse', sizeBytes: 2000, loss: 0.5 },
      { label: 'better', sizeBytes: 2000 },
    ];
    const ports = fakePorts(space);
    await search([stage(space)], ports);
    expect(ports.kept).toEqual(['first', 'better']);
  });

  it('notes a candidate that fails, with its reason, and goes on', async () => {
    const space: FakeCandidate[] = [
      { label: 'aborts', problem: { kind: 'worker-crashed', message: 'the worker was ended by SIGABRT' } },
      { label: 'works' },
    ];
    const outcome = await search([stage(space)], fakePorts(space));
    expect(outcome.entries[0]?.failure?.message).toBe('the worker was ended by SIGABRT');
    expect(outcome.choice?.chosen.candidate.label).toBe('works');
  });

  it('lets later stages look at what earlier ones measured', async () => {
    const space: FakeCandidate[] = [
      { label: 'plain', sqnrDb: 20 },
      { label: 'tuned', sqnrDb: 40 },
    ];
    const [plain, tuned] = space.map(candidateOf);
    if (plain === undefined || tuned === undefined) throw new Error('two candidates');
    const seen: unknown[] = [];
    const second: SearchStage = {
      ...stage([]),
      next: (entries) => {
        seen.push(entries.map(({ accuracy }) => accuracy?.sqnrDb));
        return { candidates: [tuned], leftOut: [{ label: 'others', reason: 'they are pointless' }] };
      },
      survivors: 1,
    };
    const outcome = await search([{ ...stage([space[0] as FakeCandidate]) }, second], fakePorts(space));
    expect(seen).toEqual([[20]]);
    expect(outcome.leftOut).toEqual([{ label: 'others', reason: 'they are pointless' }]);
    expect(outcome.entries.map(({ candidate }) => candidate.label)).toEqual(['plain', 'tuned']);
  });

  it('tells how far it is, and how long it will take from what candidates of each effort took', async () => {
    const space: FakeCandidate[] = [
      { label: 'one', seconds: 2 },
      { label: 'two', seconds: 2 },
      { label: 'three', seconds: 2 },
    ];
    const told: SearchProgress[] = [];
    await search([stage(space)], fakePorts(space), { onProgress: (progress) => told.push(progress) });
    expect(told.map(({ subject, done, total }) => [subject, done, total])).toEqual([
      ['one', 0, 3],
      ['two', 1, 3],
      ['three', 2, 3],
      ['3 candidates by turns', 3, 3],
    ]);
    expect(told[0]).not.toHaveProperty('secondsLeft');
    const timing = told[3]?.secondsLeft ?? 0;
    expect(told[1]?.secondsLeft).toBe(4 + timing);
    expect(told[1]).toMatchObject({ best: 'one' });
  });

  it('does not begin what would not be done in time, and says so', async () => {
    const space: FakeCandidate[] = [
      { label: 'quick', seconds: 5 },
      { label: 'long', seconds: 40, effort: 'fast' },
      { label: 'short', seconds: 5 },
    ];
    const ports = fakePorts(space, { limitSeconds: 40 });
    const outcome = await search([stage(space)], ports);
    expect(ports.asked).not.toContain('build long');
    expect(outcome.entries[1]?.failure).toEqual({
      kind: 'time-limit',
      message: 'it would take about 40 s, and 23 s are left',
    });
    expect(outcome).toMatchObject({ ended: 'time-limit' });
    expect(outcome.entries[2]?.accuracy).toBeDefined();
  });

  it('leaves time for later stages where a stage has only a share of it', async () => {
    const many: FakeCandidate[] = Array.from({ length: 10 }, (_, at) => ({
      label: `plain ${at}`,
      seconds: 10,
    }));
    const space: FakeCandidate[] = [...many, { label: 'tuned', seconds: 20, effort: 'fast' }];
    const ports = fakePorts(space, { limitSeconds: 300 });
    const first = { ...stage(many), timeShare: 0.2 };
    const outcome = await search([first, stage(space.slice(-1))], ports);
    // Of 300 s, 210 are for making candidates: 42 for the first stage.
    expect(outcome.leftOut.map(({ label }) => label)).toEqual([
      'plain 5',
      'plain 6',
      'plain 7',
      'plain 8',
      'plain 9',
    ]);
    expect(outcome.entries.at(-1)).toMatchObject({ candidate: { label: 'tuned' }, built: { seconds: 20 } });
    expect(outcome.ended).toBe('time-limit');
  });

  it('finds nothing where nothing works', async () => {
    const space: FakeCandidate[] = [{ label: 'broken', problem: { kind: 'x', message: 'y' } }];
    const ports = fakePorts(space);
    expect(await search([stage(space)], ports)).toMatchObject({ choice: undefined });
    expect(ports.delivered).toEqual([]);
  });

  it('never eliminates the most accurate of a family, and delivers the best of what it kept', async () => {
    await fc.assert(
      fc.asyncProperty(spaces, async (space) => {
        const ports = fakePorts(space);
        const { entries, choice } = await search([stage(space)], ports);
        const working = entries.filter(({ failure }) => failure === undefined);
        for (const name of ['a', 'b', 'c']) {
          const family = working.filter(({ candidate }) => candidate.family === name);
          const better = rankByAccuracy(family).slice(0, Math.ceil(family.length / 2));
          const least = Math.min(...family.map(({ accuracy }) => accuracy?.loss ?? 1));
          const rest = family.filter(({ eliminated }) => eliminated === undefined);
          for (const entry of better) expect(rest).toContain(entry);
          expect(rest.length).toBeLessThanOrEqual(better.length + 1);
          expect(Math.min(...rest.map(({ accuracy }) => accuracy?.loss ?? 1))).toBe(least);
        }
        expect(choice === undefined).toBe(working.length === 0);
        expect(ports.delivered).toEqual(choice === undefined ? [] : [choice.chosen.candidate.label]);
        // The fastest family of which anything keeps the budget is the one that is chosen from, if nothing as fast is far nearer to float32.
        const good = working.filter(({ accuracy }) => accuracy?.standing === 'undecided');
        const fastest = ['a', 'b', 'c'].find((family) =>
          good.some(({ candidate }) => candidate.family === family),
        );
        if (fastest === undefined) return;
        if (choice?.standing !== 'doubtful') expect(choice?.chosen.candidate.family).toBe(fastest);
        else expect(choice.reason).toMatch(/nearer to float32 than \S+, which seems to lose less/);
      }),
    );
  });

  it('never takes longer than its limit, and always has what it made until then', async () => {
    await fc.assert(
      fc.asyncProperty(spaces, fc.integer({ min: 1, max: 200 }), async (space, limitSeconds) => {
        const ports = fakePorts(space, { limitSeconds });
        const outcome = await search([stage(space)], ports);
        expect(ports.nowSeconds).toBeLessThanOrEqual(limitSeconds);
        const made = outcome.entries.filter(({ built }) => built !== undefined);
        expect(outcome.choice === undefined).toBe(made.length === 0);
        if (outcome.ended === 'finished') expect(outcome.entries).toHaveLength(space.length);
      }),
    );
  });

  it('ends with the best so far whenever it is cancelled', async () => {
    await fc.assert(
      fc.asyncProperty(spaces, fc.integer({ min: 1, max: 40 }), async (space, cancelAfter) => {
        const ports = fakePorts(space, { cancelAfter });
        const { choice, entries, ended } = await search([stage(space)], ports);
        const made = entries.filter(({ built, failure }) => built !== undefined && failure === undefined);
        expect(choice === undefined).toBe(made.length === 0);
        expect(ended).toBe(ports.cancelled ? 'cancelled' : 'finished');
      }),
    );
  });
});
