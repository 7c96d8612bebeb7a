import { describe, expect, it } from 'vitest';
import {
  contaminationReasons,
  DEFAULT_CONTAMINATION_LIMITS,
  type HostConditions,
  unobservedConditions,
} from '../../../src/benchmark/host-conditions.ts';

const quiet: HostConditions = {
  onlineCpus: 8,
  thermalThrottles: 40,
  swappedInPages: 1000,
  swappedOutPages: 2000,
  memoryStallSeconds: 3,
  stealSeconds: 12,
  meanFrequencyHz: 3e9,
  governor: 'performance',
  quotaThrottledPeriods: 7,
  quotaThrottledSeconds: 0.5,
  oomKills: 1,
};

const silent = Object.fromEntries(
  Object.keys(quiet).map((name) => [name, null]),
) as unknown as HostConditions;

const TEN_SECONDS_NS = 10e9;

function reasonsFor(after: Partial<HostConditions>, before: Partial<HostConditions> = {}) {
  return contaminationReasons({ ...quiet, ...before }, { ...quiet, ...after }, TEN_SECONDS_NS);
}

describe('contaminationReasons', () => {
  it('has nothing against a host on which nothing happened, whatever happened before', () =>
    expect(reasonsFor({})).toEqual([]));

  it.each<[string, Partial<HostConditions>, string]>([
    [
      'thermal throttling, even once',
      { thermalThrottles: 41 },
      'The CPU slowed itself down because of heat (1 event of thermal throttling)',
    ],
    [
      'swapping of more pages than allowed, in both directions together',
      { swappedInPages: 1200, swappedOutPages: 2057 },
      'The host swapped: 200 pages in and 57 out, more than the 256 allowed',
    ],
    [
      'a stall for memory of more than a thousandth of the time',
      { memoryStallSeconds: 3.02 },
      'For 20.0 ms of 10.0 s everything on the host waited for memory, more than the 0.1 % allowed',
    ],
    [
      'CPU time that the hypervisor took',
      { stealSeconds: 14 },
      'The hypervisor took 0.20 CPU cores on average for other guests, more than the 0.05 allowed',
    ],
    [
      'a clock that fell',
      { meanFrequencyHz: 2.4e9 },
      'The mean CPU clock went from 3.00 GHz to 2.40 GHz (−20 %), more than the 10 % allowed',
    ],
    [
      'a clock that rose',
      { meanFrequencyHz: 3.6e9 },
      'The mean CPU clock went from 3.00 GHz to 3.60 GHz (+20 %), more than the 10 % allowed',
    ],
    [
      'another governor',
      { governor: 'powersave' },
      'The frequency governor was performance at the beginning and powersave at the end',
    ],
    [
      'a used-up CPU quota, even once',
      { quotaThrottledPeriods: 9, quotaThrottledSeconds: 0.75 },
      "The cgroup's CPU quota was used up in 2 periods, for 250 ms of CPU time",
    ],
    [
      'a used-up CPU quota of unknown length',
      { quotaThrottledPeriods: 8, quotaThrottledSeconds: null },
      "The cgroup's CPU quota was used up in 1 period",
    ],
    [
      'a process killed for memory, even one',
      { oomKills: 2 },
      'The kernel killed 1 process for lack of memory',
    ],
    ['a CPU that went', { onlineCpus: 7 }, 'The host had 8 CPUs online at the beginning and 7 at the end'],
  ])('tells %s', (_what, after, reason) => expect(reasonsFor(after)).toEqual([reason]));

  it.each<[string, Partial<HostConditions>]>([
    ['swapping', { swappedInPages: 1200, swappedOutPages: 2056 }],
    ['waiting for memory', { memoryStallSeconds: 3.01 - 1e-9 }],
    ['stealing', { stealSeconds: 12.5 }],
    ['a slower clock', { meanFrequencyHz: 2.7e9 + 1 }],
    ['a faster clock', { meanFrequencyHz: 3.3e9 - 1 }],
  ])('allows %s up to its limit', (_what, after) => expect(reasonsFor(after)).toEqual([]));

  it('goes by the limits that it is given', () => {
    const strict = { ...DEFAULT_CONTAMINATION_LIMITS, maxSwappedPages: 0, maxFrequencyChangeRatio: 0.01 };
    const after = { ...quiet, swappedInPages: 1001, meanFrequencyHz: 2.95e9 };
    expect(contaminationReasons(quiet, after, TEN_SECONDS_NS, strict)).toHaveLength(2);
    expect(contaminationReasons(quiet, after, TEN_SECONDS_NS)).toEqual([]);
  });

  it('takes what the kernel does not tell, before or after, for no reason', () => {
    const loud: HostConditions = {
      onlineCpus: 1,
      thermalThrottles: 1e6,
      swappedInPages: 1e6,
      swappedOutPages: 1e6,
      memoryStallSeconds: 1e6,
      stealSeconds: 1e6,
      meanFrequencyHz: 1e6,
      governor: 'powersave',
      quotaThrottledPeriods: 1e6,
      quotaThrottledSeconds: 1e6,
      oomKills: 1e6,
    };
    expect(reasonsFor(loud)).toHaveLength(9);
    expect(reasonsFor(loud, silent)).toEqual([]);
    expect(reasonsFor(silent, loud)).toEqual([]);
  });

  it('tells swapping in one direction where the other is unknown', () =>
    expect(reasonsFor({ swappedInPages: null, swappedOutPages: 3000 })).toEqual([
      'The host swapped: an unknown number of pages in and 1000 out, more than the 256 allowed',
    ]));

  it('does not take a counter that fell for a disturbance', () =>
    expect(
      reasonsFor({ thermalThrottles: 0, stealSeconds: 0, oomKills: 0, quotaThrottledPeriods: 0 }),
    ).toEqual([]));
});

describe('unobservedConditions', () => {
  it('is empty where the kernel tells everything', () => expect(unobservedConditions(quiet)).toEqual([]));

  it('names the clock of a virtual machine, and nothing that is told', () =>
    expect(unobservedConditions({ ...quiet, meanFrequencyHz: null })).toEqual([
      'the CPU clock (no cpufreq, as in a virtual machine)',
    ]));

  it('names each thing once where nothing is told', () => {
    const phrases = unobservedConditions(silent);
    expect(phrases).toHaveLength(8);
    expect(new Set(phrases).size).toBe(8);
  });
});
