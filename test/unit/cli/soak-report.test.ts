import { describe, expect, it } from 'vitest';
import { type Creep, findCreep } from '../../../src/benchmark/soak/creep.ts';
import type { SoakResult } from '../../../src/benchmark/soak/soak.ts';
import { describeCreep, renderSoaks } from '../../../src/cli/soak-report.ts';
import { identityOf } from '../benchmark/fakes.ts';
import { windowOf } from '../benchmark/soak/windows.ts';

const MIB = 2 ** 20;

const creepOf = (more: Partial<Creep>): Creep => ({
  figure: 'resident-memory',
  outcome: 'creeps',
  windows: 119,
  perHour: { estimate: 12 * MIB, lower: 8 * MIB, upper: 16 * MIB },
  change: { estimate: 0.118, lower: 0.08, upper: 0.16 },
  confidence: 0.95,
  ...more,
});

describe('describeCreep', () => {
  it.each<[Partial<Creep>, string]>([
    [{}, 'leak suspected: resident memory +12.0 MiB/h [+8.0, +16.0], +11.8 % over the soak'],
    [
      { figure: 'median-latency', perHour: { estimate: 1e-4, lower: 0, upper: 2e-4 } },
      'creep suspected: median latency +11.8 % [+8.0, +16.0] over the soak',
    ],
    [
      { figure: 'p99-latency', outcome: 'levelled-off' },
      'levelled off: p99 latency +11.8 % [+8.0, +16.0] over the soak, but not in the second half',
    ],
    [
      {
        outcome: 'steady',
        perHour: { estimate: -250 * MIB, lower: -500.4 * MIB, upper: 0.01 * MIB },
        change: { estimate: -0.0001, lower: -0.2, upper: 0.1 },
      },
      'no creep found: resident memory −250 MiB/h [−500, 0], 0.0 % over the soak',
    ],
    [
      { outcome: 'too-few-windows', windows: 4, perHour: null, change: null },
      'not known: resident memory: 4 whole windows after the first are too few for a trend',
    ],
    [
      { figure: 'p99-latency', outcome: 'not-measured', perHour: null, change: null },
      'not known: p99 latency: it could not be measured in every window',
    ],
  ])('%#: %s', (creep, sentence) => expect(describeCreep(creepOf(creep))).toBe(sentence));
});

describe('renderSoaks', () => {
  const windows = Array.from({ length: 60 }, (_, index) => windowOf(index));
  const result: SoakResult = {
    ...identityOf('int8.onnx'),
    scenario: 'closed-loop',
    concurrency: 1,
    plannedWindows: 60,
    windows,
    creep: findCreep(windows),
    peakRssBytes: 2 ** 27,
    otherOutputs: 0,
    warnings: [],
    failure: null,
  };

  it('shows some windows evenly, with the first and the last, then what creeps', () => {
    const lines = renderSoaks([result], false).split('\n');
    expect(lines[0]).toBe('int8.onnx: closed-loop for 30 min 00 s, 60 of 60 windows');
    expect(lines[2]).toMatch(/^ *at +queries +samples\/s +p50 +p99 +memory +preempted$/);
    expect(lines.slice(3, 15).map((line) => line.trim().split(/ {2,}/)[0])).toEqual(
      expect.arrayContaining(['0 s', '29 min 30 s']),
    );
    expect(lines[3]).toMatch(/0 s +30000 +1000\.0 +1\.00 ms +2\.00 ms +100 MiB +2$/);
    expect(lines.slice(16)).toEqual([
      'no creep found: median latency 0.0 % [0.0, 0.0] over the soak',
      'no creep found: p99 latency 0.0 % [0.0, 0.0] over the soak',
      'no creep found: resident memory 0.0 MiB/h [0.0, 0.0], 0.0 % over the soak',
    ]);
  });

  it('says what speaks against it', () => {
    const text = renderSoaks([{ ...result, otherOutputs: 2, warnings: ['The host was hot'] }], true);
    expect(text).toContain('wrong: 2 outputs differ from those without load');
    expect(text).toContain('note: The host was hot');
    expect(text).toContain('inputs are made up');
  });

  it('shows a dash for what is not known, and a soak of one window', () => {
    const nothing = { p50Seconds: null, p99Seconds: null, rssBytes: null, contextSwitches: null };
    const text = renderSoaks([{ ...result, windows: [windowOf(0, { ...nothing, complete: false })] }], false);
    expect(text).toMatch(/0 s +30000 +1000\.0 +– +– +– +–$/m);
    expect(text).toContain('0 of 60 windows');
  });
});
