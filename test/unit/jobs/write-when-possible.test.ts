import { describe, expect, it } from 'vitest';
import { ProblemError, problem } from '../../../src/core/problem.ts';
import { writeWhenPossible } from '../../../src/jobs/write-when-possible.ts';

/** A write that the disk refuses so many times, and what is logged meanwhile. */
function refused(times: number) {
  const logged: string[] = [];
  let tries = 0;
  const logger = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (said: string) => void logged.push(said),
  };
  const write = () => {
    tries += 1;
    if (tries <= times) throw new ProblemError(problem('store-not-written', 'the disk is full'));
    return 'written';
  };
  return { write, logger, logged, tries: () => tries };
}

describe('writeWhenPossible', () => {
  it('tries until the disk takes it, and says so once', async () => {
    const { write, logger, logged, tries } = refused(3);
    const { signal } = new AbortController();
    expect(await writeWhenPossible(write, { logger, retryMs: 1, signal })).toBe('written');
    expect([tries(), logged]).toEqual([4, ['the disk is full']]);
  });

  it('gives up when nobody waits any more, after one try', async () => {
    const { write, logger, tries } = refused(Number.POSITIVE_INFINITY);
    const signal = AbortSignal.abort();
    expect(await writeWhenPossible(write, { logger, retryMs: 60_000, signal })).toBeUndefined();
    expect(tries()).toBe(1);
  });

  it('stops waiting at the signal', async () => {
    const { write, logger } = refused(Number.POSITIVE_INFINITY);
    const stopping = new AbortController();
    const waiting = writeWhenPossible(write, { logger, retryMs: 60_000, signal: stopping.signal });
    setTimeout(() => stopping.abort(), 5);
    expect(await waiting).toBeUndefined();
  });

  it('does not take a bug for a full disk', async () => {
    const { logger } = refused(0);
    const broken = () => {
      throw new TypeError('undefined is not a function');
    };
    const { signal } = new AbortController();
    await expect(writeWhenPossible(broken, { logger, retryMs: 1, signal })).rejects.toThrow(TypeError);
  });
});
