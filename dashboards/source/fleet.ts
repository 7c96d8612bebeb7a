import { makeDashboard } from './dashboard.ts';
import { graph, number, states, table } from './panel.ts';
import { of, ofModel } from './selector.ts';
import { VALID_MAPPINGS, VALID_THRESHOLDS } from './value-words.ts';
import { VERDICT_MAPPINGS, VERDICT_THRESHOLDS, verdictNumber } from './verdict.ts';
import { STATE_MAPPINGS, STATE_THRESHOLDS, stateNumber } from './watch-state.ts';

const ROW = 'instance, model, variant';
const MEASURED = 'job, instance, model, variant, provider, scenario, suite, measurement';

/** A drop is better small, a speed-up large. */
const DROP_COLORS = [
  { value: null, color: 'transparent' },
  { value: 0.01, color: 'yellow' },
  { value: 0.02, color: 'red' },
];
const SPEEDUP_COLORS = [
  { value: null, color: 'red' },
  { value: 1, color: 'transparent' },
  { value: 1.2, color: 'green' },
];
const ALARM = [
  { value: null, color: 'green' },
  { value: 1, color: 'red' },
];

/** Every model, on every host, in every variant: what one wants to know in the morning. */
export const fleet = makeDashboard({
  uid: 'ptq-fleet',
  title: 'ptq-agent / Fleet',
  description: 'Every model on every host in every variant: verdict, accuracy against FP32, speed-up.',
  from: 'now-24h',
  variables: [
    { label: 'model', title: 'Model', metric: 'ptq_model_size_bytes' },
    {
      label: 'variant',
      title: 'Variant',
      metric: 'ptq_model_size_bytes',
      matchers: ['model=~"$model"'],
    },
  ],
  rows: [
    {
      title: 'Now',
      panels: [
        number({
          title: 'Agents',
          description: 'Agents whose last scrape succeeded.',
          unit: 'none',
          width: 4,
          queries: [{ expr: 'sum(up{job=~"$job", instance=~"$instance"})', legend: 'up' }],
        }),
        number({
          title: 'Agents down',
          description: 'Targets of the job that did not answer the last scrape.',
          unit: 'none',
          width: 4,
          thresholds: ALARM,
          queries: [
            { expr: 'count(up{job=~"$job", instance=~"$instance"} == 0) or vector(0)', legend: 'down' },
          ],
        }),
        number({
          title: 'Variants that regressed',
          description:
            'Variants, and models themselves, whose accuracy is below the budget against FP32 or the pinned baseline, and nobody acknowledged it.',
          unit: 'none',
          width: 4,
          thresholds: ALARM,
          queries: [
            { expr: `sum(${ofModel('ptq_accuracy_state', 'state="regressed"')})`, legend: 'regressed' },
          ],
        }),
        number({
          title: 'Variants slower than FP32',
          description:
            'Variants that the last valid benchmark showed to be slower than the model they were made of.',
          unit: 'none',
          width: 4,
          thresholds: ALARM,
          queries: [
            {
              expr: `count(count by (${ROW}) (${ofModel('ptq_bench_speed_outcome', 'outcome="slower"')} == 1 and on (${MEASURED}) ${ofModel('ptq_bench_valid')} == 1)) or vector(0)`,
              legend: 'slower',
            },
          ],
        }),
        number({
          title: 'Runs that failed, last day',
          description: 'Runs that ended in a problem within a day.',
          unit: 'none',
          width: 4,
          decimals: 0,
          thresholds: ALARM,
          queries: [{ expr: `sum(increase(${of('ptq_job_failures_total')}[24h]))`, legend: 'failed' }],
        }),
        number({
          title: 'Runs that wait',
          description: 'Runs in the queues of all agents.',
          unit: 'none',
          width: 4,
          queries: [{ expr: `sum(${of('ptq_jobs', 'state="queued"')})`, legend: 'queued' }],
        }),
      ],
    },
    {
      title: 'Models',
      panels: [
        table({
          title: 'Every variant',
          description:
            'The last result of each variant on each host. The drop is FP32 minus the variant, in units of the metric of the profile; the speed-up is the smallest among its measurements, and tells little where one of them is not valid.',
          unit: 'none',
          width: 24,
          height: 12,
          labels: ['instance', 'model', 'variant'],
          columns: [
            {
              name: 'verdict',
              expr: verdictNumber(ROW),
              mappings: VERDICT_MAPPINGS,
              thresholds: VERDICT_THRESHOLDS,
            },
            {
              name: 'accuracy from run to run',
              expr: stateNumber('ptq_accuracy_state', ROW),
              mappings: STATE_MAPPINGS,
              thresholds: STATE_THRESHOLDS,
            },
            {
              name: 'latency from run to run',
              expr: stateNumber('ptq_latency_state', ROW),
              mappings: STATE_MAPPINGS,
              thresholds: STATE_THRESHOLDS,
            },
            {
              name: 'accuracy',
              expr: `max by (${ROW}) (${ofModel('ptq_accuracy_ratio', 'variant!="fp32"')})`,
              unit: 'percentunit',
              decimals: 2,
            },
            {
              name: 'drop',
              expr: `max by (${ROW}) (${ofModel('ptq_accuracy_baseline_ratio')} - ${ofModel('ptq_accuracy_ratio')})`,
              unit: 'percentunit',
              decimals: 2,
              thresholds: DROP_COLORS,
            },
            {
              name: 'agreement',
              expr: `min by (${ROW}) (${ofModel('ptq_agreement_ratio')})`,
              unit: 'percentunit',
              decimals: 2,
            },
            {
              name: 'speed-up',
              expr: `min by (${ROW}) (${ofModel('ptq_bench_speedup_ratio', 'variant!="fp32"')})`,
              unit: 'none',
              decimals: 2,
              thresholds: SPEEDUP_COLORS,
            },
            {
              name: 'valid',
              expr: `min by (${ROW}) (${ofModel('ptq_bench_valid', 'variant!="fp32"')})`,
              mappings: VALID_MAPPINGS,
              thresholds: VALID_THRESHOLDS,
            },
            {
              name: 'size',
              expr: `max by (${ROW}) (${ofModel('ptq_model_size_bytes', 'variant!="fp32"')})`,
              unit: 'bytes',
            },
            {
              name: 'last valid',
              expr: `max by (${ROW}) (${ofModel('ptq_bench_last_success_timestamp_seconds', 'variant!="fp32"')}) * 1000`,
              unit: 'dateTimeFromNow',
            },
          ],
        }),
        states({
          title: 'Verdicts',
          description: 'What each evaluation said of each variant.',
          unit: 'none',
          width: 24,
          height: 9,
          mappings: VERDICT_MAPPINGS,
          thresholds: VERDICT_THRESHOLDS,
          queries: [{ expr: verdictNumber(ROW), legend: '{{model}} {{variant}} on {{instance}}' }],
        }),
        graph({
          title: 'Speed-up against FP32',
          description: 'Above 1 the variant is faster than the model that it was made of.',
          unit: 'none',
          width: 12,
          decimals: 2,
          points: true,
          queries: [
            {
              expr: `min by (${ROW}) (${ofModel('ptq_bench_speedup_ratio', 'variant!="fp32"')})`,
              legend: '{{model}} {{variant}} on {{instance}}',
            },
          ],
        }),
        graph({
          title: 'Drop against FP32',
          description: 'FP32 minus the variant on the same samples; above the budget it is a regression.',
          unit: 'percentunit',
          width: 12,
          decimals: 2,
          points: true,
          queries: [
            {
              expr: `max by (${ROW}) (${ofModel('ptq_accuracy_baseline_ratio')} - ${ofModel('ptq_accuracy_ratio')})`,
              legend: '{{model}} {{variant}} on {{instance}}',
            },
          ],
        }),
      ],
    },
    {
      title: 'Agents',
      panels: [
        table({
          title: 'Versions',
          description: 'What runs on each host.',
          unit: 'none',
          width: 12,
          labels: ['instance', 'version', 'node_version', 'ort_version'],
          columns: [
            {
              name: 'agents',
              expr: `count by (instance, version, node_version, ort_version) (${of('ptq_build_info')})`,
            },
          ],
        }),
        graph({
          title: 'Runs by state',
          description:
            'Runs that wait or are under way; more than one waiting for long means that schedules are too dense.',
          unit: 'none',
          width: 12,
          decimals: 0,
          queries: [
            {
              expr: `sum by (instance, state) (${of('ptq_jobs', 'state=~"queued|running"')})`,
              legend: '{{state}} on {{instance}}',
            },
          ],
        }),
      ],
    },
  ],
});
