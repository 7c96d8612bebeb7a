import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { fleet } from './fleet.ts';
import { host } from './host.ts';
import { model } from './model.ts';
import { run } from './run.ts';

/** The dashboards by the names of their files. */
export const DASHBOARDS: Readonly<Record<string, Dashboard>> = { fleet, model, run, host };

/** What stands in the file of a dashboard. Grafana gives identifiers of its own, so there is none in it. */
export function dashboardJson(dashboard: Dashboard): string {
  return `${JSON.stringify({ ...dashboard, id: null }, null, 2)}\n`;
}
