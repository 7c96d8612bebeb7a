import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { describe, expect, it } from 'vitest';
import { DASHBOARDS, dashboardJson } from '../../../dashboards/source/all.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import { DATA_SOURCE, lintDashboard, panelsOf, queriesOf } from '../../support/lint-dashboard.ts';
import { chosen, metricsIn } from '../../support/queries.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const FOLDER = join(import.meta.dirname, '../../../dashboards');
const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;

const exported = new Set(
  createMetrics({ buildInfo: { version: '0', nodeVersion: '0', ortVersion: '0' } })
    .describe()
    .flatMap(({ name, type }) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
);

/** What Prometheus itself makes. */
const OF_PROMETHEUS = new Set(['up', 'ALERTS']);

describe.each(Object.entries(DASHBOARDS))('dashboards/%s.json', (name, dashboard) => {
  it('is what its source makes (UPDATE_GOLDEN=1 writes it)', () => {
    const file = join(FOLDER, `${name}.json`);
    const made = dashboardJson(dashboard);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, made);
    expect(readFileSync(file, 'utf8')).toBe(made);
  });

  it('keeps the rules of the linter of Grafana', () => {
    expect(lintDashboard(dashboard)).toEqual([]);
  });

  it('asks for metrics that are exported, and for no others', () => {
    const annotations = (dashboard.annotations?.list ?? []).map((annotation) => {
      const { expr } = annotation as { readonly expr?: string };
      return { panel: annotation.name, expr: expr ?? '' };
    });
    for (const { panel, expr } of [...queriesOf(dashboard), ...annotations]) {
      for (const metric of metricsIn(expr))
        expect(exported.has(metric) || OF_PROMETHEUS.has(metric), `${panel}: ${metric}`).toBe(true);
    }
  });

  it('fills its rows of 24 columns', () => {
    const places = panelsOf(dashboard).map(({ gridPos }) => gridPos);
    for (const place of places) expect((place?.x ?? 0) + (place?.w ?? 0)).toBeLessThanOrEqual(24);
    const cells = new Set(places.map((place) => `${place?.x} ${place?.y}`));
    expect(cells.size).toBe(places.length);
  });

  it.skipIf(!hasPromtool)('has queries that Prometheus can read (needs promtool)', () => {
    const rules = queriesOf(dashboard).map(({ expr }, at) => ({ record: `query:${at}`, expr: chosen(expr) }));
    const file = join(temporaryFolder(), 'rules.json');
    writeFileSync(file, JSON.stringify({ groups: [{ name, rules }] }));
    const checked = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
    expect(checked.stderr).toBe('');
    expect(checked.stdout).toContain(`${rules.length} rules found`);
  });
});

describe('the dashboards', () => {
  it('have a file each, and there is no other', () => {
    const files = readdirSync(FOLDER).filter((file) => file.endsWith('.json'));
    expect(files.sort()).toEqual(
      Object.keys(DASHBOARDS)
        .map((name) => `${name}.json`)
        .sort(),
    );
  });

  it('have addresses of their own', () => {
    const uids = Object.values(DASHBOARDS).map(({ uid }) => uid);
    expect(new Set(uids).size).toBe(uids.length);
  });
});

describe('the rules of the linter', () => {
  const good = DASHBOARDS['host'] as Dashboard;

  it.each([
    [
      'a rate over a fixed window',
      (json: string) => json.replaceAll('$__rate_interval', '5m'),
      /rate-interval/,
    ],
    [
      'a query without the chosen hosts',
      (json: string) => json.replaceAll('instance=~\\"$instance\\"', 'a=\\"b\\"'),
      /instance/,
    ],
    [
      'a counter without a rate',
      (json: string) => json.replaceAll('rate(ptq_rapl', 'sum(ptq_rapl'),
      /counter-agg/,
    ],
    [
      'a panel without a description',
      (json: string) => json.replaceAll('"The composite temperature."', '""'),
      /title-description/,
    ],
    ['a fixed data source', (json: string) => json.replaceAll(DATA_SOURCE, 'prometheus'), /datasource/],
    [
      'a dashboard that can be edited',
      (json: string) => json.replace('"editable": false', '"editable": true'),
      /uneditable/,
    ],
  ])('find %s', (_what, spoil, complaint) => {
    const spoilt = JSON.parse(spoil(dashboardJson(good))) as Dashboard;
    expect(lintDashboard(spoilt).join('\n')).toMatch(complaint);
  });
});
