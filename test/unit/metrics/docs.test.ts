import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/metrics/metrics.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');

interface DocumentedMetric {
  readonly type: string;
  readonly labels: readonly string[];
}

/** The rows of the tables in docs/metrics.md that describe a metric: name, type, labels, meaning. */
function documentedMetrics(): ReadonlyMap<string, DocumentedMetric> {
  const text = readFileSync(join(REPOSITORY, 'docs/metrics.md'), 'utf8');
  const rows = text.matchAll(/^\| `([a-z_]+)` \| (counter|gauge|histogram|summary) \| (.*?) ?\| \S.* \|$/gm);
  return new Map(
    [...rows].map(([, name = '', type = '', labels = '']) => [
      name,
      { type, labels: [...labels.matchAll(/`([^`]+)`/g)].map(([, label = '']) => label) },
    ]),
  );
}

async function registeredTypes(): Promise<Readonly<Record<string, string>>> {
  const metrics = createMetrics({ buildInfo: { version: '0', nodeVersion: '0', ortVersion: '0' } });
  const { body } = await metrics.render();
  return Object.fromEntries(
    [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]),
  );
}

describe('docs/metrics.md', () => {
  it('lists every metric with its type, and none that is not there', async () => {
    const documented = [...documentedMetrics()].map(([name, { type }]) => [name, type]);
    expect(Object.fromEntries(documented)).toEqual(await registeredTypes());
  });

  it('names the labels of every series that the recorded exposition has', () => {
    const documented = documentedMetrics();
    const golden = readFileSync(join(REPOSITORY, 'test/fixtures/golden/metrics.prom'), 'utf8');
    const seen = [...golden.matchAll(/^([a-z_]+)(?:\{(.*)\})? \S+$/gm)];
    expect(seen.length).toBeGreaterThan(documented.size);
    for (const [line, series = '', pairs = ''] of seen) {
      const metric = documented.get(series) ?? documented.get(series.replace(/_(bucket|sum|count)$/, ''));
      const labels = [...pairs.matchAll(/(\w+)="[^"]*"/g)].map(([, label = '']) => label);
      expect(
        labels.filter((label) => label !== 'le'),
        line,
      ).toEqual(metric?.labels);
    }
  });
});
