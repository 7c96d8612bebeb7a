import { describe, expect, it } from 'vitest';
import type { Creep } from '../../../../src/benchmark/soak/creep.ts';
import { soakWarnings } from '../../../../src/benchmark/soak/soak-warnings.ts';
import type { ProviderUse } from '../../../../src/benchmark/variant-record.ts';
import { identityOf, USAGE } from '../fakes.ts';
import { windowOf } from './windows.ts';

const RECORD = { identity: identityOf('int8'), usage: USAGE };
const LIMITS = { maxOtherCpuCores: 0.25 };
const quiet = [windowOf(0), windowOf(1), windowOf(2)];

const onDevice = (placement: Partial<ProviderUse>) => ({
  ...RECORD,
  usage: { ...USAGE, placement: { nodesByProvider: {}, fellBack: [], isSoftware: false, ...placement } },
});

describe('soakWarnings', () => {
  it('has nothing to say of a quiet host', () => {
    expect(soakWarnings(quiet, RECORD, [], LIMITS)).toEqual([]);
    expect(
      soakWarnings([windowOf(0, { otherCpuCores: null })], { ...RECORD, usage: null }, [], LIMITS),
    ).toEqual([]);
  });

  it('says that creep may be the host where other work took its CPUs', () =>
    expect(soakWarnings([...quiet, windowOf(3, { otherCpuCores: 0.5 })], RECORD, [], LIMITS)).toEqual([
      'Other work on the host took more than 0.25 CPU cores in 1 of 4 windows, up to 0.50: what creeps may be the host',
    ]));

  it('says what the host did first, and in how many windows', () => {
    const disturbed = [
      windowOf(3, { disturbances: ['It was hot'] }),
      windowOf(4, { disturbances: ['It swapped'] }),
    ];
    expect(soakWarnings([...quiet, ...disturbed], RECORD, [], LIMITS)).toEqual([
      'The host disturbed 2 of 5 windows; window 3: It was hot',
    ]);
  });

  it('says that a rate was too high, but not of a window that was cut short', () => {
    const cut = windowOf(4, { unfinishedQueries: 90, complete: false });
    expect(soakWarnings([...quiet, cut], RECORD, [], LIMITS)).toEqual([]);
    expect(soakWarnings([...quiet, windowOf(3, { unfinishedQueries: 7 })], RECORD, [], LIMITS)).toEqual([
      '7 queries in 1 of 4 windows were not completed in time: the rate is more than the model can do',
    ]);
  });

  it('says what did not run on the device', () => {
    const fellBack = [{ node: 'conv1', op: 'Conv', provider: 'CPUExecutionProvider' }];
    expect(soakWarnings(quiet, onDevice({ fellBack }), [], LIMITS)).toEqual([
      '1 node did not run on cpu, the first of them conv1 (Conv, CPUExecutionProvider)',
    ]);
    expect(soakWarnings(quiet, onDevice({ isSoftware: true }), [], LIMITS)).toHaveLength(1);
  });

  it('says that a young process grows, where a short soak suspects a leak', () => {
    const blamed = { figure: 'resident-memory', outcome: 'creeps' } as Creep;
    const short = [windowOf(0), windowOf(1, { startSeconds: 30, durationSeconds: 30 })];
    expect(soakWarnings(short, RECORD, [blamed], LIMITS)).toEqual([
      expect.stringMatching(/^The soak took 1 min 00 s: .* less than 5 min 00 s may be no leak/),
    ]);
    expect(soakWarnings(short, RECORD, [{ ...blamed, outcome: 'steady' }], LIMITS)).toEqual([]);
    const long = [windowOf(0), windowOf(1, { startSeconds: 290, durationSeconds: 10 })];
    expect(soakWarnings(long, RECORD, [blamed], LIMITS)).toEqual([]);
  });
});
