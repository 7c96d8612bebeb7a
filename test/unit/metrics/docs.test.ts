import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import { withMetricTables } from '../../support/metrics-page.ts';
import { parseExposition } from '../../support/parse-exposition.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const PAGE = join(REPOSITORY, 'docs/metrics.md');

const described = createMetrics({
  buildInfo: { version: '0', nodeVersion: '0', ortVersion: '0' },
}).describe();

describe('docs/metrics.md', () => {
  it('has the tables that the registry makes (UPDATE_GOLDEN=1 writes them)', () => {
    const made = withMetricTables(readFileSync(PAGE, 'utf8'), described);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(PAGE, made);
    expect(readFileSync(PAGE, 'utf8')).toBe(made);
  });

  it('says of every label what its values are', () => {
    const page = readFileSync(PAGE, 'utf8');
    const explained = [...page.matchAll(/^\| ((?:`\w+`(?:, )?)+) \| [^|]+ \|$/gm)].flatMap(([, names = '']) =>
      [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    const used = new Set(described.flatMap(({ labelNames }) => labelNames));
    expect([...explained].sort()).toEqual([...used].sort());
  });
});

describe('the names of metrics', () => {
  it('say what they are: a total, an info, a base unit', () => {
    for (const { name, type } of described) {
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
      expect(name.endsWith('_info'), name).toBe(type === 'info');
      expect(name, name).toMatch(/^(ptq|process)_[a-z0-9_]+$/);
      expect(name, name).not.toMatch(/_(ms|milliseconds|percent|kb|mb|mhz|mw|kib|mib)(_|$)/);
    }
  });

  it('are taken by no other family once a format adds its suffixes', () => {
    const suffixes = { counter: ['_total', '_created', ''], info: ['_info', ''], gauge: [''] };
    const histogram = ['', '_bucket', '_sum', '_count', '_created'];
    const taken = described.flatMap(({ name, type }) => {
      const family = name.replace(/_(total|info)$/, '');
      return (type === 'histogram' ? histogram : suffixes[type]).map((suffix) => `${family}${suffix}`);
    });
    expect(taken.filter((name, at) => taken.indexOf(name) !== at)).toEqual([]);
  });

  it('and their labels are those of the recorded exposition, which shows every metric', () => {
    const golden = readFileSync(join(REPOSITORY, 'test/fixtures/golden/metrics.prom'), 'utf8');
    const shown = parseExposition(golden, 'text');
    expect(shown.map(({ name }) => name).sort()).toEqual(described.map(({ name }) => name).sort());
    for (const { name, samples } of shown) {
      const labels = described.find((metric) => metric.name === name)?.labelNames;
      for (const sample of samples) {
        expect(
          Object.keys(sample.labels).filter((label) => label !== 'le'),
          name,
        ).toEqual(labels);
      }
    }
  });
});
