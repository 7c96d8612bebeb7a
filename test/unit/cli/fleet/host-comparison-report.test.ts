import { describe, expect, it } from 'vitest';
import { renderFleetComparison } from '../../../../src/cli/fleet/host-comparison-report.ts';
import type { HostComparison } from '../../../../src/fleet/compare-hosts.ts';

const HOST = { runs: 3, valid: true, throughput: null, differences: [] };
const speedUp = (ratio: number, outcome: 'slower' | 'not-distinguished') =>
  ({ base: 'a', ratio, lower: ratio - 0.1, upper: ratio + 0.1, outcome }) as never;

const COMPARISON: HostComparison = {
  ...{ model: 'tiny', variant: 'int8', suite: 'profile', measurement: 'single-stream', device: 'cpu' },
  ...{ scenario: 'single-stream', settings: '1 thread', hostClass: 'a processor', reference: 'a' },
  basis: 'runs',
  hosts: [
    { ...HOST, agent: 'a', seconds: 0.01, speedUp: null },
    {
      ...{ ...HOST, agent: 'b', seconds: 0.02, valid: false },
      speedUp: speedUp(0.5, 'slower'),
      differences: ['another kernel'],
    },
  ],
};

describe('renderFleetComparison', () => {
  it('names the slower host, what differs, and that its figures are not valid', () => {
    const text = renderFleetComparison({ comparisons: [COMPARISON], alone: [] });
    expect(text).toMatch(/^a +10\.0 ms +3 +1 +– +reference$/m);
    expect(text).toMatch(/^b +20\.0 ms +3 .*slower, not valid$/m);
    expect(text).toContain('  b: another kernel');
    expect(text).toMatch(/\n\nslower: b, in 1 of 1 measurement$/);
  });

  it('names hosts that have nobody to be held against, and none where there is none', () => {
    const alone = [
      { agent: 'c', hostClass: 'another processor', measurements: 1 },
      { agent: 'd', hostClass: 'a third', measurements: 2 },
    ];
    const text = renderFleetComparison({ comparisons: [], alone });
    expect(text).toBe(
      'c alone has a measurement on another processor: nothing to compare with\n' +
        'd alone has 2 measurements on a third: nothing to compare with\n\n' +
        'no two hosts of a class measured the same',
    );
    expect(renderFleetComparison({ comparisons: [COMPARISON], alone: [] })).not.toMatch(/\n\n\n/);
  });

  it('says that no host is shown to be slower, and how little single runs know', () => {
    const [first, second] = COMPARISON.hosts;
    const hosts = [
      first,
      { ...second, speedUp: speedUp(0.99, 'not-distinguished') },
    ] as HostComparison['hosts'];
    const text = renderFleetComparison({
      comparisons: [{ ...COMPARISON, basis: 'rounds', hosts }],
      alone: [],
    });
    expect(text).toContain('intervals from one run each');
    expect(text).toMatch(/no host is shown to be slower than the others of its class$/);
  });
});
