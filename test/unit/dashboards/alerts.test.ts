import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import { ALERTS, hasPromtool, type Series, tryAlert } from '../../support/promtool.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: { readonly severity?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

const REPOSITORY = join(import.meta.dirname, '../../..');
const RULES = readdirSync(ALERTS).flatMap((file) => {
  const { groups } = parse(readFileSync(join(ALERTS, file), 'utf8')) as {
    groups: readonly { readonly rules: readonly Rule[] }[];
  };
  return groups.flatMap(({ rules }) => rules);
});
const ALERT_RULES = RULES.filter(({ alert }) => alert !== undefined);

describe('the alert rules', () => {
  it.each(ALERT_RULES.map((rule) => [rule.alert ?? '', rule] as const))(
    '%s says how bad it is, what happened and what to do',
    (name, { labels, annotations = {} }) => {
      expect(name).toMatch(/^Ptq[A-Z]/);
      expect(labels?.severity).toMatch(/^(critical|warning|info)$/);
      for (const part of ['summary', 'description']) expect(annotations[part]?.length).toBeGreaterThan(20);
      const page = annotations['runbook'] ?? '';
      expect(page).toBe(`docs/runbooks/${name}.md`);
      const text = readFileSync(join(REPOSITORY, page), 'utf8');
      expect(text.startsWith(`# ${name}\n`)).toBe(true);
      for (const heading of ['## What it means', '## What to do']) expect(text).toContain(heading);
    },
  );

  it('have a runbook each, and there is no other', () => {
    const pages = readdirSync(join(REPOSITORY, 'docs/runbooks')).filter((file) => file !== 'README.md');
    expect(pages.sort()).toEqual(ALERT_RULES.map(({ alert }) => `${alert}.md`).sort());
    expect(existsSync(join(REPOSITORY, 'docs/runbooks/README.md'))).toBe(true);
  });

  it('ask for metrics that are exported, and for no others', () => {
    const described = createMetrics({ buildInfo: { version: '0', nodeVersion: '0', ortVersion: '0' } })
      .describe()
      .map(({ name }) => name);
    const known = new Set([...described, ...RULES.map(({ record }) => record)]);
    for (const { alert, record, expr } of RULES) {
      for (const [metric] of expr.matchAll(/\b(?:\w+:)?ptq_\w+/g))
        expect(known.has(metric), `${alert ?? record}: ${metric}`).toBe(true);
    }
  });

  it.skipIf(!hasPromtool)('are read by Prometheus (needs promtool)', () => {
    const files = readdirSync(ALERTS).map((file) => join(ALERTS, file));
    const checked = spawnSync('promtool', ['check', 'rules', ...files], { encoding: 'utf8' });
    expect(checked.status, checked.stderr).toBe(0);
    expect(checked.stderr).toBe('');
  });
});

const A = 'job="ptq-agent", instance="a"';
const B = 'job="ptq-agent", instance="b"';
const LABELS_A = { job: 'ptq-agent', instance: 'a' };
const INT8 = 'model="m", variant="int8"';
const LABELS_INT8 = { ...LABELS_A, model: 'm', variant: 'int8' };
const MEASURED = `${INT8}, provider="p", scenario="offline", suite="s", measurement="x"`;
const LABELS_MEASURED = {
  ...LABELS_INT8,
  provider: 'p',
  scenario: 'offline',
  suite: 's',
  measurement: 'x',
};

/** What each alert does: with one host at fault, with the other one well, with nothing to look at. */
const CASES: readonly {
  readonly alert: string;
  /** What is wrong on host a and well on host b. */
  readonly series: Series;
  /** When it fires at the latest. */
  readonly atMinutes: number;
  /** When it does not yet fire, or no longer. */
  readonly quietAtMinutes?: number;
  readonly firing: Readonly<Record<string, string>>;
}[] = [
  ...(
    [
      ['PtqAccuracyDegraded', 'degraded_within_budget', 'info', 6, 4],
      ['PtqAccuracyInconclusive', 'inconclusive', 'warning', 4326, 4320],
      ['PtqAccuracyInvalid', 'invalid', 'warning', 70, 60],
    ] as const
  ).map(([alert, verdict, severity, atMinutes, quietAtMinutes]) => ({
    alert,
    series: {
      [`ptq_accuracy_verdict{${A}, ${INT8}, verdict="${verdict}"}`]: '0x4 1x5000',
      [`ptq_accuracy_verdict{${B}, ${INT8}, verdict="${verdict}"}`]: '0x5005',
    },
    atMinutes,
    quietAtMinutes,
    firing: { ...LABELS_INT8, verdict, severity },
  })),
  {
    alert: 'PtqAccuracyRegressed',
    series: {
      [`ptq_accuracy_state{${A}, ${INT8}, state="regressed"}`]: '0x4 1x5 0x10',
      [`ptq_accuracy_state{${A}, ${INT8}, state="acknowledged"}`]: '0x10 1x10',
      [`ptq_accuracy_state{${B}, ${INT8}, state="regressed"}`]: '0x20',
      [`ptq_accuracy_state{${B}, ${INT8}, state="suspected"}`]: '1x20',
    },
    atMinutes: 6,
    quietAtMinutes: 12,
    firing: { ...LABELS_INT8, state: 'regressed', severity: 'critical' },
  },
  {
    alert: 'PtqLatencyRegressed',
    series: {
      [`ptq_latency_state{${A}, ${MEASURED}, state="regressed"}`]: '0x4 1x5 0x10',
      [`ptq_latency_state{${A}, ${MEASURED}, state="acknowledged"}`]: '0x10 1x10',
      [`ptq_latency_state{${B}, ${MEASURED}, state="regressed"}`]: '0x20',
      [`ptq_latency_state{${B}, ${MEASURED}, state="suspected"}`]: '1x20',
    },
    atMinutes: 6,
    quietAtMinutes: 12,
    firing: { ...LABELS_MEASURED, state: 'regressed', severity: 'warning' },
  },
  {
    alert: 'PtqGoldenDrift',
    series: {
      [`ptq_golden_changed_answers{${A}, ${INT8}, dataset="eval"}`]: '0x4 3x5 0x5',
      [`ptq_golden_changed_answers{${B}, ${INT8}, dataset="eval"}`]: '0x20',
    },
    atMinutes: 8,
    quietAtMinutes: 13,
    firing: { ...LABELS_INT8, dataset: 'eval', severity: 'critical' },
  },
  {
    alert: 'PtqVariantSlowerThanFp32',
    series: {
      [`ptq_bench_speed_outcome{${A}, ${MEASURED}, outcome="slower"}`]: '0x4 1x10',
      [`ptq_bench_valid{${A}, ${MEASURED}}`]: '1x20',
      // The benchmark of the other host is slower too, and invalid.
      [`ptq_bench_speed_outcome{${B}, ${MEASURED}, outcome="slower"}`]: '1x20',
      [`ptq_bench_valid{${B}, ${MEASURED}}`]: '0x20',
    },
    atMinutes: 6,
    quietAtMinutes: 4,
    firing: { ...LABELS_MEASURED, outcome: 'slower', severity: 'warning' },
  },
  {
    alert: 'PtqBenchInvalid',
    series: {
      [`ptq_bench_valid{${A}, ${MEASURED}}`]: '0x90',
      [`ptq_bench_valid{${B}, ${MEASURED}}`]: '1x90',
    },
    atMinutes: 62,
    quietAtMinutes: 58,
    firing: { ...LABELS_MEASURED, severity: 'info' },
  },
  {
    alert: 'PtqBenchStale',
    series: {
      // Every hour; the last run ended at the second 0. Three hours later two are missing.
      [`ptq_run_last_success_timestamp_seconds{${A}, model="m"}`]: '0x400',
      [`ptq_schedule_interval_seconds{${A}, model="m"}`]: '3600x400',
      // Without a schedule a model may be as old as it likes.
      [`ptq_run_last_success_timestamp_seconds{${B}, model="m"}`]: '0x400',
    },
    atMinutes: 182,
    quietAtMinutes: 179,
    firing: { ...LABELS_A, model: 'm', severity: 'warning' },
  },
  {
    alert: 'PtqRunThrottled',
    series: {
      [`ptq_gpu_throttle_active{${A}, gpu_uuid="g", reason="hw_thermal"}`]: '0x9 1 0x20',
      [`ptq_jobs{${A}, state="running"}`]: '1x30',
      // Nothing runs on the other host.
      [`ptq_gpu_throttle_active{${B}, gpu_uuid="h", reason="hw_thermal"}`]: '1x30',
      [`ptq_jobs{${B}, state="running"}`]: '0x30',
      // To be idle is no reason to worry.
      [`ptq_gpu_throttle_active{${A}, gpu_uuid="g", reason="idle"}`]: '1x30',
    },
    atMinutes: 12,
    quietAtMinutes: 16,
    firing: { ...LABELS_A, gpu_uuid: 'g', reason: 'hw_thermal', severity: 'warning' },
  },
  {
    alert: 'PtqCpuThrottled',
    series: {
      [`ptq_host_cpu_throttle_events_total{${A}, scope="core"}`]: '100x10 105x30',
      [`ptq_jobs{${A}, state="running"}`]: '1x40',
      [`ptq_host_cpu_throttle_events_total{${B}, scope="core"}`]: '100x40',
      [`ptq_jobs{${B}, state="running"}`]: '1x40',
    },
    atMinutes: 14,
    quietAtMinutes: 25,
    firing: { ...LABELS_A, severity: 'warning' },
  },
  {
    alert: 'PtqJobFailures',
    series: {
      // The daemon is started anew in between: the counter begins at zero again, which is no failure.
      [`ptq_job_failures_total{${A}, reason="internal"}`]: '2x5 0x5 1x100',
      [`ptq_job_failures_total{${B}, reason="internal"}`]: '2x5 0x105',
    },
    atMinutes: 15,
    quietAtMinutes: 10,
    firing: { ...LABELS_A, reason: 'internal', severity: 'warning' },
  },
  {
    alert: 'PtqGpuMissing',
    series: {
      [`up{${A}}`]: '1x60',
      [`ptq_gpu_info{${A}, gpu_uuid="g"}`]: '1x60',
      [`ptq_gpu_info{${A}, gpu_uuid="h"}`]: '1x20 _x40',
      // Of a host that cannot be scraped nobody can say that its GPU is missing.
      [`up{${B}}`]: '1x20 0x40',
      [`ptq_gpu_info{${B}, gpu_uuid="i"}`]: '1x20 _x40',
    },
    atMinutes: 35,
    quietAtMinutes: 22,
    firing: { ...LABELS_A, severity: 'critical' },
  },
  {
    alert: 'PtqGpuLost',
    series: {
      [`ptq_gpu_state{${A}, gpu_uuid="g", state="lost"}`]: '0x4 1x10',
      [`ptq_gpu_state{${A}, gpu_uuid="g", state="ok"}`]: '1x4 0x10',
      [`ptq_gpu_state{${B}, gpu_uuid="h", state="ok"}`]: '1x20',
    },
    atMinutes: 6,
    quietAtMinutes: 4,
    firing: { ...LABELS_A, gpu_uuid: 'g', state: 'lost', severity: 'critical' },
  },
  {
    alert: 'PtqGpuEccUncorrected',
    series: {
      // It was there before the first scrape, so no increase can be seen.
      [`ptq_gpu_ecc_errors{${A}, gpu_uuid="g", type="uncorrected", scope="volatile"}`]: '1x5 0x5',
      [`ptq_gpu_ecc_errors{${B}, gpu_uuid="h", type="uncorrected", scope="aggregate"}`]: '5x20',
      [`ptq_gpu_ecc_errors{${B}, gpu_uuid="h", type="corrected", scope="volatile"}`]: '5x20',
    },
    atMinutes: 2,
    quietAtMinutes: 9,
    firing: { ...LABELS_A, gpu_uuid: 'g', type: 'uncorrected', scope: 'volatile', severity: 'critical' },
  },
  {
    alert: 'PtqGpuMemoryPressure',
    series: {
      [`ptq_gpu_memory_used_bytes{${A}, gpu_uuid="g"}`]: '97x30',
      [`ptq_gpu_memory_total_bytes{${A}, gpu_uuid="g"}`]: '100x30',
      [`ptq_gpu_memory_used_bytes{${B}, gpu_uuid="h"}`]: '90x30',
      [`ptq_gpu_memory_total_bytes{${B}, gpu_uuid="h"}`]: '100x30',
    },
    atMinutes: 7,
    quietAtMinutes: 4,
    firing: { ...LABELS_A, gpu_uuid: 'g', severity: 'warning' },
  },
  {
    alert: 'PtqMemoryStall',
    series: {
      [`ptq_host_pressure_seconds_total{${A}, resource="memory", kind="full"}`]: '0+12x40',
      [`ptq_host_pressure_seconds_total{${B}, resource="memory", kind="full"}`]: '0+1x40',
    },
    atMinutes: 12,
    quietAtMinutes: 3,
    firing: { ...LABELS_A, resource: 'memory', kind: 'full', severity: 'warning' },
  },
  {
    alert: 'PtqNvmeWear',
    series: {
      [`ptq_nvme_percentage_used_ratio{${A}, device="nvme0"}`]: '0.91x10',
      [`ptq_nvme_percentage_used_ratio{${B}, device="nvme0"}`]: '0.5x10',
    },
    atMinutes: 2,
    firing: { ...LABELS_A, device: 'nvme0', severity: 'warning' },
  },
  {
    alert: 'PtqNvmeFailing',
    series: {
      [`ptq_nvme_critical_warning{${A}, device="nvme0"}`]: '0x4 4x10',
      [`ptq_nvme_critical_warning{${B}, device="nvme0"}`]: '0x20',
      [`ptq_nvme_media_errors_total{${B}, device="nvme0"}`]: '7x20',
    },
    atMinutes: 6,
    quietAtMinutes: 4,
    firing: { ...LABELS_A, device: 'nvme0', severity: 'critical' },
  },
  {
    alert: 'PtqAgentDown',
    series: { [`up{${A}}`]: '1x5 0x20', [`up{${B}}`]: '1x30' },
    atMinutes: 12,
    quietAtMinutes: 9,
    firing: { ...LABELS_A, severity: 'critical' },
  },
  {
    alert: 'PtqSamplerDown',
    series: {
      [`ptq_sampler_process_up{${A}, source="gpu"}`]: '1x5 0x20',
      [`ptq_sampler_process_up{${B}, source="gpu"}`]: '1x5 0 1x20',
    },
    atMinutes: 9,
    quietAtMinutes: 6,
    firing: { ...LABELS_A, source: 'gpu', severity: 'warning' },
  },
  {
    alert: 'PtqConfigNotTakenUp',
    series: {
      [`ptq_config_last_reload_successful{${A}}`]: '1x5 0x30',
      [`ptq_config_last_reload_successful{${B}}`]: '1x5 0x5 1x30',
    },
    atMinutes: 17,
    quietAtMinutes: 14,
    firing: { ...LABELS_A, severity: 'warning' },
  },
  {
    alert: 'PtqRestartNeeded',
    series: {
      [`ptq_config_restart_needed{${A}}`]: '0x5 2x100',
      [`ptq_config_restart_needed{${B}}`]: '0x5 1x10 0x100',
    },
    atMinutes: 67,
    quietAtMinutes: 64,
    firing: { ...LABELS_A, severity: 'info' },
  },
  {
    alert: 'PtqCollectorFailing',
    series: {
      // It never succeeded, so there is no time of its last success.
      [`ptq_sampler_up{${A}, collector="nvme"}`]: '0x40',
      [`ptq_sampler_up{${B}, collector="nvme"}`]: '1x40',
      [`ptq_sampler_last_success_timestamp_seconds{${B}, collector="nvme"}`]: '0+60x40',
    },
    atMinutes: 7,
    quietAtMinutes: 4,
    firing: { ...LABELS_A, collector: 'nvme', severity: 'warning' },
  },
  {
    alert: 'PtqStorageShort',
    series: { [`ptq_storage_short{${A}}`]: '0x5 1x20', [`ptq_storage_short{${B}}`]: '0x5 1 0x20' },
    atMinutes: 12,
    quietAtMinutes: 9,
    firing: { ...LABELS_A, severity: 'critical' },
  },
  {
    alert: 'PtqTooManySeries',
    series: {
      [`scrape_samples_scraped{${A}}`]: '25000x40',
      [`scrape_samples_scraped{${B}}`]: '900x40',
    },
    atMinutes: 17,
    quietAtMinutes: 14,
    firing: { ...LABELS_A, severity: 'info' },
  },
];

describe.skipIf(!hasPromtool)('what the alerts do (needs promtool)', () => {
  it.each(CASES)(
    '$alert fires for the host at fault and for no other',
    ({ alert, series, atMinutes, firing }) => {
      expect(tryAlert(temporaryFolder(), { alert, series, atMinutes, firing: [firing] })).toBe('');
    },
  );

  it.each(CASES.filter(({ quietAtMinutes }) => quietAtMinutes !== undefined))(
    '$alert is quiet before its time, or after it',
    ({ alert, series, quietAtMinutes = 0 }) => {
      expect(tryAlert(temporaryFolder(), { alert, series, atMinutes: quietAtMinutes, firing: [] })).toBe('');
    },
  );

  it.each(CASES)('$alert is quiet without any data', ({ alert, atMinutes }) => {
    const series = { [`up{${A}}`]: `1x${atMinutes + 1}` };
    expect(tryAlert(temporaryFolder(), { alert, series, atMinutes, firing: [] })).toBe('');
  });

  it('PtqAgentAbsent fires where no agent is known, and not where one is down', () => {
    const gone = { alert: 'PtqAgentAbsent', series: { 'up{job="other"}': '1x20' }, atMinutes: 7 };
    const firing = [{ job: 'ptq-agent', severity: 'critical' }];
    expect(tryAlert(temporaryFolder(), { ...gone, firing })).toBe('');
    const down = { ...gone, series: { [`up{${A}}`]: '0x20' } };
    expect(tryAlert(temporaryFolder(), { ...down, firing: [] })).toBe('');
  });

  it('every alert is tried', () => {
    const tried = [...CASES.map(({ alert }) => alert), 'PtqAgentAbsent'];
    expect(tried.sort()).toEqual(ALERT_RULES.map(({ alert }) => alert).sort());
  });
});
