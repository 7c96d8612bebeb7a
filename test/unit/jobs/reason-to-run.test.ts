import { describe, expect, it } from 'vitest';
import { lastFullRuns, reasonsToRun } from '../../../src/jobs/reason-to-run.ts';
import type { RunBasis } from '../../../src/jobs/run-basis.ts';
import type { Run } from '../../../src/store/runs.ts';

const basis: RunBasis = { model: '1', data: '1', profile: '1', software: '1', drivers: '550' };
const run = (state: Run['state'], of: RunBasis | undefined = basis) => ({
  state,
  request: { kind: 'pipeline', basis: of },
});

describe('reasonsToRun', () => {
  it('is the first run of a model', () => {
    expect(reasonsToRun([], basis)).toEqual(['first']);
  });

  it.each(['succeeded', 'failed', 'cancelled', 'running'] as const)(
    'is nothing where one %s and nothing changed',
    (state) => {
      expect(reasonsToRun([run(state)], basis)).toEqual([]);
    },
  );

  it.each(['model', 'data', 'profile', 'software', 'drivers'] as const)('is a change: %s', (part) => {
    for (const state of ['succeeded', 'failed', 'cancelled', 'interrupted'] as const)
      expect(reasonsToRun([run(state)], { ...basis, [part]: '2' })).toEqual([part]);
  });

  it('names all that changed', () => {
    expect(reasonsToRun([run('succeeded')], { ...basis, data: '2', software: '2' })).toEqual([
      'data',
      'software',
    ]);
  });

  it('is a run that was interrupted, once', () => {
    expect(reasonsToRun([run('interrupted')], basis)).toEqual(['interrupted']);
    expect(reasonsToRun([run('interrupted'), run('succeeded')], basis)).toEqual(['interrupted']);
    const secondTry = {
      state: 'interrupted',
      request: { kind: 'pipeline', basis, reasons: ['interrupted'] },
    } as const;
    expect(reasonsToRun([secondTry, run('interrupted')], basis)).toEqual([]);
  });

  it('is a run with a reason of its own that was interrupted, also where the one before was', () => {
    const changed = {
      state: 'interrupted',
      request: { kind: 'pipeline', basis, reasons: ['profile'] },
    } as const;
    expect(reasonsToRun([changed, run('interrupted')], basis)).toEqual(['interrupted']);
  });

  it('is not a part that one of both does not know', () => {
    const { drivers: _drivers, ...early } = basis;
    expect(reasonsToRun([run('succeeded')], early)).toEqual([]);
    expect(reasonsToRun([run('succeeded', early)], basis)).toEqual([]);
    expect(reasonsToRun([{ state: 'succeeded', request: { kind: 'pipeline' } }], basis)).toEqual([]);
  });
});

describe('lastFullRuns', () => {
  it('leaves out what never started', () => {
    const of = (id: string, startedMs?: number): Run => ({
      id,
      kind: 'pipeline',
      model: 'm',
      state: 'cancelled',
      request: null,
      priority: 'normal',
      attempt: 1,
      createdMs: 0,
      ...(startedMs === undefined ? {} : { startedMs }),
    });
    const store = { listRuns: () => [of('e'), of('d', 4), of('c'), of('b', 2), of('a', 1)] };
    expect(lastFullRuns(store, 'm').map(({ id }) => id)).toEqual(['d']);
  });
});
