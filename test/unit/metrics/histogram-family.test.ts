import { describe, expect, it } from 'vitest';
import { renderExposition } from '../../../src/metrics/exposition.ts';
import { createRegistry } from '../../../src/metrics/families.ts';
import { HistogramFamily } from '../../../src/metrics/histogram-family.ts';

function familyOf() {
  const registry = createRegistry();
  const family = new HistogramFamily({
    registry,
    name: 'a_seconds',
    help: 'Durations.',
    labelNames: ['kind'],
    bounds: [0.5, 1],
  });
  const lines = async (format: 'text' | 'openmetrics') =>
    (await renderExposition(registry, format)).split('\n').filter((line) => line.startsWith('a_seconds'));
  return { family, lines };
}

const NONE = { counts: [], sum: 0, exemplars: [] };

describe('a histogram of what was counted elsewhere', () => {
  it('adds up, and counts in a bucket all that lies below its bound', async () => {
    const { family, lines } = familyOf();
    family.add({ kind: 'q' }, { ...NONE, counts: [1, 2, 3], sum: 10 });
    family.add({ kind: 'q' }, { ...NONE, counts: [1, 0, 0], sum: 0.25 });
    expect(await lines('text')).toEqual([
      'a_seconds_bucket{kind="q",le="0.5"} 2',
      'a_seconds_bucket{kind="q",le="1.0"} 4',
      'a_seconds_bucket{kind="q",le="+Inf"} 7',
      'a_seconds_sum{kind="q"} 10.25',
      'a_seconds_count{kind="q"} 7',
    ]);
  });

  it('has an exemplar beside the bucket that it lies in, the newest of each, in OpenMetrics alone', async () => {
    const { family, lines } = familyOf();
    const at = (value: number, run: string) => ({ labels: { run }, value, wallMs: 1_790_000_000_250 });
    family.add(
      { kind: 'q' },
      { counts: [1, 1, 1], sum: 4, exemplars: [at(0.5, 'a'), at(0.75, 'b'), at(3, 'c')] },
    );
    family.add({ kind: 'q' }, { ...NONE, exemplars: [at(0.8, 'd')] });
    expect((await lines('openmetrics')).slice(0, 3)).toEqual([
      'a_seconds_bucket{kind="q",le="0.5"} 1 # {run="a"} 0.5 1790000000.25',
      'a_seconds_bucket{kind="q",le="1.0"} 2 # {run="d"} 0.8 1790000000.25',
      'a_seconds_bucket{kind="q",le="+Inf"} 3 # {run="c"} 3 1790000000.25',
    ]);
    expect((await lines('text')).join('\n')).not.toContain('#');
  });

  it('has no exemplar of more than 128 characters, which readers refuse with all else', async () => {
    const { family, lines } = familyOf();
    const exemplar = (run: string) => ({ labels: { run }, value: 0.1, wallMs: 0 });
    family.add({ kind: 'q' }, { ...NONE, exemplars: [exemplar('ä'.repeat(125)), exemplar('ä'.repeat(126))] });
    expect((await lines('openmetrics'))[0]).toContain(`{run="${'ä'.repeat(125)}"}`);
  });

  it('loses all series when it is reset', async () => {
    const { family, lines } = familyOf();
    family.add({ kind: 'q' }, { ...NONE, counts: [1, 0, 0] });
    family.reset();
    expect(await lines('text')).toEqual([]);
  });
});
