import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const ALERTS = join(import.meta.dirname, '../../dashboards/alerts');

export const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;

/** What is written in Prometheus' own short form: `ptq_jobs{state="queued"}` and `0x5 1 _x3`. */
export type Series = Readonly<Record<string, string>>;

/** One look at an alert: which instances of it fire at `at`, each by the labels that tell it from others. */
export interface AlertCase {
  readonly alert: string;
  readonly series: Series;
  /** Minutes after the first sample; samples come every minute. */
  readonly atMinutes: number;
  /** All labels of what fires, besides its name. */
  readonly firing: readonly Readonly<Record<string, string>>[];
}

/** What promtool says against a case; empty where it agrees. Annotations are not compared. */
export function tryAlert(folder: string, { alert, series, atMinutes, firing }: AlertCase): string {
  const files = readdirSync(ALERTS).map((file) => join(ALERTS, file));
  const test = {
    rule_files: files,
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        promql_expr_test: [
          {
            expr: `ALERTS{alertname="${alert}", alertstate="firing"}`,
            eval_time: `${atMinutes}m`,
            exp_samples: firing.map((labels) => ({
              labels: `ALERTS{${Object.entries({ alertname: alert, alertstate: 'firing', ...labels })
                .map(([name, value]) => `${name}="${value}"`)
                .join(', ')}}`,
              value: 1,
            })),
          },
        ],
      },
    ],
  };
  const file = join(folder, 'test.json');
  writeFileSync(file, JSON.stringify(test));
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}`;
}
