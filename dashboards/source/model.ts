import { makeDashboard } from './dashboard.ts';
import { graph, number, scatter, states, table } from './panel.ts';
import { ofModel } from './selector.ts';
import { VALID_MAPPINGS, VALID_THRESHOLDS } from './value-words.ts';
import { VERDICT_MAPPINGS, VERDICT_THRESHOLDS, verdictNumber } from './verdict.ts';
import { STATE_MAPPINGS, STATE_THRESHOLDS, stateNumber } from './watch-state.ts';

const ROW = 'instance, model, variant';
const MEASURED = 'instance, model, variant, provider, suite, measurement';
const NAMED = '{{model}} {{variant}} on {{instance}}';

/** One model: how accurate and how fast its variants are, and how that came about. */
export const model = makeDashboard({
  uid: 'ptq-model',
  title: 'ptq-agent / Model',
  description: 'Accuracy, latency and size of the variants of a model, and their history.',
  from: 'now-7d',
  variables: [
    { label: 'model', title: 'Model', metric: 'ptq_model_size_bytes' },
    { label: 'variant', title: 'Variant', metric: 'ptq_model_size_bytes', matchers: ['model=~"$model"'] },
  ],
  annotations: [
    {
      name: 'Runs',
      expr: 'changes(ptq_run_last_success_timestamp_seconds{job=~"$job", instance=~"$instance", model=~"$model"}[2m]) > 0',
      title: 'run of {{model}} on {{instance}}',
      color: 'blue',
    },
    {
      name: 'Regressions',
      expr: 'ALERTS{alertname=~"Ptq.+", alertstate="firing", instance=~"$instance", model=~"$model"}',
      title: '{{alertname}}: {{model}} {{variant}} on {{instance}}',
      color: 'red',
    },
  ],
  rows: [
    {
      title: 'Now',
      panels: [
        number({
          title: 'Verdict',
          description: 'What the last evaluation said.',
          unit: 'none',
          width: 8,
          mappings: VERDICT_MAPPINGS,
          thresholds: VERDICT_THRESHOLDS,
          queries: [{ expr: verdictNumber(ROW), legend: NAMED }],
        }),
        number({
          title: 'Speed-up',
          description: 'Speed relative to FP32, the smallest among the measurements.',
          unit: 'none',
          decimals: 2,
          width: 8,
          queries: [
            {
              expr: `min by (${ROW}) (${ofModel('ptq_bench_speedup_ratio', 'variant!="fp32"')})`,
              legend: NAMED,
            },
          ],
        }),
        number({
          title: 'Size',
          description: 'The model file and its external data.',
          unit: 'bytes',
          width: 8,
          queries: [{ expr: `max by (${ROW}) (${ofModel('ptq_model_size_bytes')})`, legend: NAMED }],
        }),
        scatter({
          title: 'Accuracy against latency',
          description:
            'Each point is a variant on a host; up and to the left is better. Points that nothing beats in both are the Pareto front.',
          unit: 'percentunit',
          decimals: 2,
          width: 9,
          height: 10,
          x: {
            name: 'p50',
            unit: 's',
            expr: `min by (${ROW}) (${ofModel('ptq_bench_latency_seconds', 'percentile="50"')})`,
          },
          y: {
            name: 'accuracy',
            expr: `max by (${ROW}) (${ofModel('ptq_accuracy_ratio')} or label_replace(max by (instance, model) (${ofModel('ptq_accuracy_baseline_ratio')}), "variant", "fp32", "", ""))`,
          },
        }),
        table({
          title: 'Latency by percentile',
          description:
            'Percentiles of all queries of the last benchmark, not of buckets. What a run was too short to tell is empty.',
          unit: 's',
          width: 15,
          height: 10,
          labels: ['instance', 'model', 'variant', 'provider', 'suite', 'measurement'],
          columns: ['50', '90', '99', '99.9'].map((percentile) => ({
            name: `p${percentile}`,
            unit: 's',
            expr: `max by (${MEASURED}) (${ofModel('ptq_bench_latency_seconds', `percentile="${percentile}"`)})`,
          })),
        }),
      ],
    },
    {
      title: 'Accuracy',
      panels: [
        graph({
          title: 'Accuracy',
          description:
            'The metric that the profile judges by, for the variants and for FP32 on the same samples.',
          unit: 'percentunit',
          decimals: 2,
          width: 12,
          points: true,
          queries: [
            {
              expr: `max by (${ROW}, metric) (${ofModel('ptq_accuracy_ratio')})`,
              legend: `{{metric}} of ${NAMED}`,
            },
            {
              expr: `max by (instance, model, metric) (${ofModel('ptq_accuracy_baseline_ratio')})`,
              legend: '{{metric}} of {{model}} fp32 on {{instance}}',
            },
          ],
        }),
        graph({
          title: 'Drop and budget',
          description: 'FP32 minus the variant, and the largest drop that the profile accepts.',
          unit: 'percentunit',
          decimals: 2,
          width: 12,
          points: true,
          queries: [
            {
              expr: `max by (${ROW}) (${ofModel('ptq_accuracy_baseline_ratio')} - ${ofModel('ptq_accuracy_ratio')})`,
              legend: `drop of ${NAMED}`,
            },
            {
              expr: `max by (instance, model) (${ofModel('ptq_accuracy_drop_budget_ratio')})`,
              legend: 'budget of {{model}} on {{instance}}',
            },
          ],
        }),
        states({
          title: 'Verdicts',
          description: 'What each evaluation said.',
          unit: 'none',
          width: 12,
          mappings: VERDICT_MAPPINGS,
          thresholds: VERDICT_THRESHOLDS,
          queries: [{ expr: verdictNumber(ROW), legend: NAMED }],
        }),
        graph({
          title: 'Signal to quantization noise',
          description: 'Of the outputs of the variant against those of FP32; more is better.',
          unit: 'dB',
          decimals: 1,
          width: 6,
          points: true,
          queries: [{ expr: `min by (${ROW}) (${ofModel('ptq_sqnr_decibels')} < Inf)`, legend: NAMED }],
        }),
        graph({
          title: 'Answers that changed',
          description:
            'Samples to which the variant answers otherwise than FP32, and samples to which the same file no longer answers as it did (golden).',
          unit: 'none',
          decimals: 0,
          width: 6,
          points: true,
          queries: [
            { expr: `max by (${ROW}) (${ofModel('ptq_changed_answers')})`, legend: NAMED },
            {
              expr: `max by (${ROW}) (${ofModel('ptq_golden_changed_answers')})`,
              legend: `golden: ${NAMED}`,
            },
          ],
        }),
      ],
    },
    {
      title: 'Speed',
      panels: [
        graph({
          title: 'Latency, p50',
          description: 'The median of each benchmark.',
          unit: 's',
          width: 12,
          points: true,
          queries: [
            {
              expr: `max by (${MEASURED}) (${ofModel('ptq_bench_latency_seconds', 'percentile="50"')})`,
              legend: `{{measurement}}: ${NAMED}`,
            },
          ],
        }),
        graph({
          title: 'Latency, p99',
          description: 'Only benchmarks with enough queries have it.',
          unit: 's',
          width: 12,
          points: true,
          queries: [
            {
              expr: `max by (${MEASURED}) (${ofModel('ptq_bench_latency_seconds', 'percentile="99"')})`,
              legend: `{{measurement}}: ${NAMED}`,
            },
          ],
        }),
        graph({
          title: 'Latency as it happened',
          description:
            'From the buckets of all queries since the daemon started, so coarser than the figures above. Points are queries that a trace has.',
          unit: 's',
          width: 12,
          queries: [
            {
              expr: `histogram_quantile(0.99, sum by (le, ${ROW}) (rate(${ofModel('ptq_bench_query_duration_seconds_bucket')}[$__rate_interval])))`,
              legend: `p99: ${NAMED}`,
              exemplar: true,
            },
          ],
        }),
        graph({
          title: 'Throughput',
          description: 'Samples a second in each benchmark.',
          unit: 'ops',
          width: 12,
          points: true,
          queries: [
            {
              expr: `max by (${MEASURED}) (${ofModel('ptq_bench_throughput_inferences_per_second')})`,
              legend: `{{measurement}}: ${NAMED}`,
            },
          ],
        }),
        graph({
          title: 'Memory of the benchmarked process',
          description: 'The largest resident set, and what of GPUs it held at most.',
          unit: 'bytes',
          width: 12,
          points: true,
          queries: [
            { expr: `max by (${ROW}) (${ofModel('ptq_bench_peak_rss_bytes')})`, legend: NAMED },
            {
              expr: `max by (${ROW}) (${ofModel('ptq_bench_peak_gpu_memory_bytes')})`,
              legend: `GPU: ${NAMED}`,
            },
          ],
        }),
        graph({
          title: 'Energy a query',
          description:
            'What the processors took, whatever else they did included; only on hosts that count it.',
          unit: 'joule',
          width: 6,
          points: true,
          queries: [{ expr: `max by (${ROW}) (${ofModel('ptq_bench_query_energy_joules')})`, legend: NAMED }],
        }),
        states({
          title: 'Valid',
          description: 'Whether each benchmark kept the rules of its scenario; an invalid one says nothing.',
          unit: 'none',
          width: 6,
          mappings: VALID_MAPPINGS,
          thresholds: VALID_THRESHOLDS,
          queries: [{ expr: `min by (${ROW}) (${ofModel('ptq_bench_valid')})`, legend: NAMED }],
        }),
      ],
    },
    {
      title: 'From run to run',
      panels: [
        states({
          title: 'Accuracy, state',
          description: 'What the evaluations say, against FP32 and against the pinned baseline.',
          unit: 'none',
          width: 12,
          mappings: STATE_MAPPINGS,
          thresholds: STATE_THRESHOLDS,
          queries: [{ expr: stateNumber('ptq_accuracy_state', ROW), legend: NAMED }],
        }),
        states({
          title: 'Latency, state',
          description: 'What the runs of each host say of the median latency.',
          unit: 'none',
          width: 12,
          mappings: STATE_MAPPINGS,
          thresholds: STATE_THRESHOLDS,
          queries: [
            { expr: stateNumber('ptq_latency_state', MEASURED), legend: `{{measurement}}: ${NAMED}` },
          ],
        }),
        graph({
          title: 'Below the pinned baseline',
          description: 'How much the metric is below that of the baseline on the same samples.',
          unit: 'percentunit',
          decimals: 2,
          width: 12,
          points: true,
          queries: [
            {
              expr: `max by (${ROW}, metric) (${ofModel('ptq_accuracy_pinned_drop_ratio')})`,
              legend: `{{metric}} of ${NAMED}`,
            },
          ],
        }),
        graph({
          title: 'Latency, by expectation',
          description:
            'The median of the last valid run relative to what was expected, and the limit from which on a run is suspected.',
          unit: 'percentunit',
          decimals: 1,
          width: 12,
          points: true,
          queries: [
            {
              expr: `max by (${MEASURED}) (${ofModel('ptq_latency_change_ratio')})`,
              legend: `{{measurement}}: ${NAMED}`,
            },
            {
              expr: `max by (${MEASURED}) (${ofModel('ptq_latency_limit_seconds')} / ${ofModel('ptq_latency_expected_seconds')})`,
              legend: `limit of {{measurement}}: ${NAMED}`,
            },
          ],
        }),
      ],
    },
  ],
});
