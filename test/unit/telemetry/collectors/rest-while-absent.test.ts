import { describe, expect, it } from 'vitest';
import { err, ok, type Result } from '../../../../src/core/result.ts';
import type { CollectProblem } from '../../../../src/telemetry/collectors/collector.ts';
import { restWhileAbsent } from '../../../../src/telemetry/collectors/rest-while-absent.ts';
import { fixtureHost } from '../host-tree.ts';
import { ns } from '../snapshots.ts';

function setUp() {
  const asked: number[] = [];
  let seconds = 0;
  let outcome: Result<number, CollectProblem> = ok(1);
  const collect = restWhileAbsent(
    () => {
      asked.push(seconds);
      return outcome;
    },
    { nowNs: () => ns(seconds) },
  );
  const at = (time: number, next: typeof outcome) => {
    seconds = time;
    outcome = next;
    return collect(fixtureHost, []);
  };
  return { at, asked };
}

const failure = (kind: CollectProblem['kind']) => err({ kind, message: 'no' });

describe('restWhileAbsent', () => {
  it('reads every time while there is something, or something is wrong with it', () => {
    const { at, asked } = setUp();
    expect(at(0, ok(5))).toEqual(ok(5));
    expect(at(1, failure('unreadable'))).toMatchObject({ error: { kind: 'unreadable' } });
    expect(at(2, failure('malformed'))).toMatchObject({ error: { kind: 'malformed' } });
    expect(at(3, ok(6))).toEqual(ok(6));
    expect(asked).toEqual([0, 1, 2, 3]);
  });

  it('looks again for what was absent after 30 s, and says until then that it is', () => {
    const { at, asked } = setUp();
    at(0, failure('absent'));
    expect(at(29, ok(5))).toMatchObject({ error: { kind: 'absent' } });
    expect(at(30, failure('absent'))).toMatchObject({ error: { kind: 'absent' } });
    expect(at(61, ok(5))).toEqual(ok(5));
    expect(at(62, ok(6))).toEqual(ok(6));
    expect(asked).toEqual([0, 30, 61, 62]);
  });

  it('closes what it reads with', () => {
    let closed = false;
    const collect = Object.assign(() => ok(1), { close: () => (closed = true) });
    restWhileAbsent(collect).close?.();
    expect(closed).toBe(true);
    expect(restWhileAbsent(() => ok(1))).not.toHaveProperty('close');
  });
});
