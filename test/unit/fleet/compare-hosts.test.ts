import { describe, expect, it } from 'vitest';
import { compareHosts, isSlower } from '../../../src/fleet/compare-hosts.ts';
import type { Measured, MeasuredRun } from '../../../src/fleet/measured-runs.ts';
import { pipelineResultOf } from '../../support/pipeline-result.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const { host } = pipelineResultOf();
const HOST: MeasuredRun['host'] = { ...host, cpuFeatures: [...host.cpuFeatures] };

function measured(seconds: number, more: Partial<Measured> = {}): Measured {
  return {
    ...{ model: 'tiny', variant: 'int8', suite: 'profile', measurement: 'single-stream', device: 'cpu' },
    ...{ settings: '1 thread', sizeBytes: 300, scenario: 'single-stream', valid: true, invalidReasons: [] },
    rounds: [0, 1, 2].map((round) => ({
      ...{ round, process: round, durationSeconds: 1, queries: 100, otherCpuCores: 0 },
      medianSeconds: seconds * (1 + round / 1000),
      throughput: 1 / seconds,
    })),
    ...more,
  };
}

function runOf(results: readonly Measured[], more: Partial<MeasuredRun['host']> = {}): MeasuredRun {
  return { id: 'r', host: { ...HOST, ...more }, results };
}

/** A host with one run after the other. */
const hostOf = (agent: string, seconds: readonly number[], more: Partial<Measured> = {}) => ({
  agent,
  runs: seconds.map((of) => runOf([measured(of, more)])),
});

const outcomesOf = (comparison: ReturnType<typeof compareHosts>) =>
  comparison.comparisons.flatMap(({ hosts }) =>
    hosts.map(({ agent, speedUp }) => `${agent} ${speedUp?.outcome ?? 'reference'}`),
  );

describe('compareHosts', () => {
  it('names the slower of three hosts, against the one in the middle', () => {
    const comparison = compareHosts([
      hostOf('a', [0.0101, 0.01, 0.0099]),
      hostOf('b', [0.0102, 0.0101, 0.01]),
      hostOf('c', [0.0201, 0.02, 0.0199]),
    ]);
    expect(outcomesOf(comparison)).toEqual(['a not-distinguished', 'b reference', 'c slower']);
    const [only] = comparison.comparisons;
    expect(only).toMatchObject({ basis: 'runs', reference: 'b', model: 'tiny', variant: 'int8' });
    expect(only?.hosts[2]?.speedUp?.ratio).toBeCloseTo(0.505, 3);
    expect(only?.hosts[2]?.seconds).toBeCloseTo(0.02, 4);
  });

  it('takes the faster of two hosts for the reference, so that the slower one is named', () => {
    const two = [hostOf('slow', [0.02, 0.021, 0.02]), hostOf('fast', [0.01, 0.0101, 0.01])];
    expect(outcomesOf(compareHosts(two))).toEqual(['fast reference', 'slow slower']);
  });

  it('goes by the rounds of the newest run where a host has fewer than three runs', () => {
    const [only] = compareHosts([hostOf('a', [0.01, 0.05, 0.05]), hostOf('b', [0.02])]).comparisons;
    expect(only).toMatchObject({ basis: 'rounds', reference: 'a' });
    expect(only?.hosts.map(({ runs, speedUp }) => [runs, speedUp?.outcome])).toEqual([
      [1, undefined],
      [1, 'slower'],
    ]);
  });

  it('claims less of single runs, unless it is told what is to be claimed', () => {
    const single = [hostOf('a', [0.01]), hostOf('b', [0.0112])];
    expect(outcomesOf(compareHosts(single))).toEqual(['a reference', 'b not-distinguished']);
    expect(outcomesOf(compareHosts(single, { minEffectRatio: 0.05 }))).toEqual(['a reference', 'b slower']);
    const often = [hostOf('a', [0.01, 0.01, 0.01]), hostOf('b', [0.0112, 0.0112, 0.0112])];
    expect(outcomesOf(compareHosts(often))).toEqual(['a reference', 'b slower']);
  });

  it('compares only what is alike', () => {
    const like = { agent: 'a', runs: [runOf([measured(0.01)])] };
    const unlike: Readonly<Record<string, MeasuredRun>> = {
      processor: runOf([measured(0.02)], { cpuModel: 'another' }),
      CPUs: runOf([measured(0.02)], { logicalCpus: 4 }),
      instructions: runOf([measured(0.02)], { cpuFeatures: [] }),
      runtime: runOf([measured(0.02)], { onnxRuntimeVersion: '1.29.0' }),
      GPU: runOf([measured(0.02)], { hardware: { gpus: [{ vendor: 'NVIDIA', model: 'A100' }] } }),
      settings: runOf([measured(0.02, { settings: '2 threads' })]),
      variant: runOf([measured(0.02, { variant: 'fp32' })]),
      device: runOf([measured(0.02, { device: 'cuda' })]),
    };
    for (const [what, run] of Object.entries(unlike)) {
      const comparison = compareHosts([like, { agent: 'b', runs: [run] }]);
      expect(comparison.comparisons, what).toEqual([]);
      expect(comparison.alone, what).toHaveLength(2);
    }
    expect(compareHosts([like, { agent: 'b', runs: [runOf([measured(0.02)])] }]).alone).toEqual([]);
  });

  it('compares an offline scenario by its throughput', () => {
    const offline = (agent: string, perSecond: number) => {
      const of = measured(0.5, { scenario: 'offline' });
      const rounds = of.rounds.map((round) => ({ ...round, throughput: perSecond }));
      return { agent, runs: [0, 1, 2].map(() => runOf([{ ...of, rounds }])) };
    };
    const [only] = compareHosts([offline('a', 1000), offline('b', 500)]).comparisons;
    expect(only?.hosts.map(({ seconds }) => seconds)).toEqual([
      expect.closeTo(0.001, 6),
      expect.closeTo(0.002, 6),
    ]);
    expect(only?.hosts[1]?.speedUp).toMatchObject({ outcome: 'slower', metric: 'throughput' });
  });

  it('names a host that is stopped from time to time, though most queries are as fast as ever', () => {
    const stopped = measured(0.01);
    const rounds = stopped.rounds.map((round) => ({ ...round, throughput: 40 }));
    const hosts = [hostOf('a', [0.01]), { agent: 'b', runs: [runOf([{ ...stopped, rounds }])] }];
    const [only] = compareHosts(hosts).comparisons;
    expect(only?.hosts[1]).toMatchObject({
      speedUp: { outcome: 'not-distinguished' },
      throughput: { outcome: 'slower' },
    });
    expect(only?.hosts.map(isSlower)).toEqual([false, true]);
  });

  it('leaves out runs that are not valid where the host has valid ones, and otherwise says that and why', () => {
    const bad = { valid: false, invalidReasons: ['the host was too busy'] };
    const mixed = {
      agent: 'a',
      runs: [runOf([measured(0.9, bad)]), ...[1, 2, 3].map(() => runOf([measured(0.01)]))],
    };
    const [only] = compareHosts([mixed, hostOf('b', [0.02, 0.02, 0.02], bad)]).comparisons;
    expect(only?.hosts).toMatchObject([
      { agent: 'a', valid: true, runs: 3, differences: [] },
      { agent: 'b', valid: false, runs: 3, differences: ['the host was too busy'] },
    ]);
    expect(only?.hosts[0]?.seconds).toBeCloseTo(0.01, 4);
  });

  it('says what differs from the reference', () => {
    const busy = measured(0.02, { sizeBytes: 310 });
    const rounds = busy.rounds.map((round) => ({ ...round, otherCpuCores: 1.5 }));
    const older = {
      kernel: 'Linux 5.10',
      hardware: { gpus: [{ model: 'A100', driverVersion: '535' }, { vendor: 'unnamed' }] },
    };
    const like = { hardware: { gpus: [{ model: 'A100', driverVersion: '550' }] } };
    const [only] = compareHosts([
      { agent: 'a', runs: [runOf([measured(0.01)], like)] },
      { agent: 'b', runs: [runOf([{ ...busy, rounds }], older)] },
    ]).comparisons;
    expect(only?.hosts[1]?.differences).toEqual([
      'kernel Linux 5.10 instead of Linux 6.0',
      'GPU driver 535 instead of 550',
      'another file: 310 bytes instead of 300',
      'other work took 1.50 cores instead of 0.00',
    ]);
    expect(only?.hostClass).toBe('a processor × 2, A100, ONNX Runtime 1.30.0');
  });

  it('names a host of a fleet without a slow one in at most one of twenty fleets, and nearly always one that is slower by a fifth', () => {
    const random = seededRandom(7);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const runs = (level: number) => Array.from({ length: 5 }, () => level * Math.exp(0.03 * normal()));
    const named = (slowest: number) => {
      let count = 0;
      for (let fleet = 0; fleet < 400; fleet++) {
        const levels = [1, 1, 1, 1, 1, slowest];
        const hosts = levels.map((level, at) => hostOf(`h${at}`, runs(0.01 * level)));
        const slower = outcomesOf(compareHosts(hosts)).filter((text) => text.endsWith('slower'));
        if (slowest === 1 ? slower.length > 0 : slower.includes('h5 slower')) count++;
      }
      return count / 400;
    };
    expect(named(1)).toBeLessThan(0.05);
    expect(named(1.2)).toBeGreaterThan(0.95);
  });
});
