import { expect, it } from 'vitest';
import { otherWork, watchDisturbances } from '../../../src/jobs/watch-disturbances.ts';

it('other work counts above a quarter of a core', () => {
  expect(otherWork(10, 10.5, 2)).toEqual([]);
  expect(otherWork(10, 11, 2)).toEqual([
    'Other work on the host took 0.50 CPU cores on average, more than the 0.25 allowed',
  ]);
});

it('other work is not known where the kernel does not tell', () => {
  expect(otherWork(undefined, 11, 2)).toEqual([]);
  expect(otherWork(10, undefined, 2)).toEqual([]);
});

it('nothing is told of a thousand seconds in which nothing else ran', () => {
  let nowNs = 0n;
  const disturbances = watchDisturbances({ nowNs: () => (nowNs += 1_000_000_000_000n) });
  expect(disturbances()).toEqual([]);
});
