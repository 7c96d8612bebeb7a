import { makeDashboard } from './dashboard.ts';
import { graph, number, table } from './panel.ts';
import { of, rate } from './selector.ts';

const ofRun = (metric: string, ...matchers: readonly string[]) => of(metric, 'model=~"$model"', ...matchers);
const PHASE = 'instance, model, phase, subject';

/** What a run takes of the host, phase by phase, and what the workers do at this moment. */
export const run = makeDashboard({
  uid: 'ptq-run',
  title: 'ptq-agent / Runs and calibration',
  description:
    'What quantizing, calibrating, evaluating and benchmarking take of memory, GPU, disks and energy.',
  from: 'now-3h',
  variables: [{ label: 'model', title: 'Model', metric: 'ptq_run_duration_seconds' }],
  annotations: [
    {
      name: 'Runs',
      expr: 'changes(ptq_run_last_success_timestamp_seconds{job=~"$job", instance=~"$instance", model=~"$model"}[2m]) > 0',
      title: 'run of {{model}} on {{instance}}',
      color: 'blue',
    },
  ],
  rows: [
    {
      title: 'The last run',
      panels: [
        number({
          title: 'Duration',
          description: 'Time that the last run of the model took.',
          unit: 's',
          width: 6,
          queries: [
            {
              expr: `max by (instance, model) (${ofRun('ptq_run_duration_seconds')})`,
              legend: '{{model}} on {{instance}}',
            },
          ],
        }),
        number({
          title: 'Since the last success',
          description: 'Time since a run of the model last ended well.',
          unit: 's',
          width: 6,
          queries: [
            {
              expr: `time() - max by (instance, model) (${ofRun('ptq_run_last_success_timestamp_seconds')})`,
              legend: '{{model}} on {{instance}}',
            },
          ],
        }),
        number({
          title: 'Runs under way',
          description: 'One at a time on a host, as two would disturb each other.',
          unit: 'none',
          width: 6,
          queries: [
            { expr: `sum by (instance) (${of('ptq_jobs', 'state="running"')})`, legend: '{{instance}}' },
          ],
        }),
        number({
          title: 'Calibration samples, last hour',
          description: 'Samples that calibrations ran through models.',
          unit: 'none',
          decimals: 0,
          width: 6,
          queries: [
            {
              expr: `sum by (instance) (increase(${ofRun('ptq_calibration_samples_total')}[1h]))`,
              legend: '{{instance}}',
            },
          ],
        }),
        table({
          title: 'Phases',
          description:
            'What each phase of the last run took. Peaks are the largest sample, so they do not hide between scrapes.',
          unit: 'none',
          width: 24,
          height: 11,
          labels: ['instance', 'model', 'phase', 'subject'],
          columns: [
            { name: 'time', unit: 's', expr: `max by (${PHASE}) (${ofRun('ptq_run_phase_seconds')})` },
            { name: 'CPU time', unit: 's', expr: `max by (${PHASE}) (${ofRun('ptq_run_cpu_seconds')})` },
            {
              name: 'peak RSS',
              unit: 'bytes',
              expr: `max by (${PHASE}) (${ofRun('ptq_run_peak_rss_bytes')})`,
            },
            {
              name: 'peak GPU memory',
              unit: 'bytes',
              expr: `max by (${PHASE}) (${ofRun('ptq_run_peak_gpu_memory_bytes')})`,
            },
            { name: 'read', unit: 'bytes', expr: `max by (${PHASE}) (${ofRun('ptq_run_read_bytes')})` },
            { name: 'written', unit: 'bytes', expr: `max by (${PHASE}) (${ofRun('ptq_run_written_bytes')})` },
            { name: 'energy', unit: 'joule', expr: `sum by (${PHASE}) (${ofRun('ptq_run_energy_joules')})` },
          ],
        }),
        graph({
          title: 'Time by phase',
          description: 'How the time of runs is made up, run after run.',
          unit: 's',
          width: 12,
          stacked: true,
          queries: [
            {
              expr: `sum by (instance, model, phase) (${ofRun('ptq_run_phase_seconds')})`,
              legend: '{{phase}}: {{model}} on {{instance}}',
            },
          ],
        }),
        graph({
          title: 'Quantizing',
          description:
            'Mean time that making a variant took, by calibration method; artifacts taken from the store are not counted.',
          unit: 's',
          width: 12,
          points: true,
          queries: [
            {
              expr: `sum by (instance, method) (increase(${of('ptq_quantize_duration_seconds_sum')}[1h])) / (sum by (instance, method) (increase(${of('ptq_quantize_duration_seconds_count')}[1h])) > 0)`,
              legend: '{{method}} on {{instance}}',
            },
          ],
        }),
      ],
    },
    {
      title: 'Workers now',
      panels: [
        graph({
          title: 'Memory of workers',
          description: 'Resident memory by what the worker is for.',
          unit: 'bytes',
          width: 8,
          stacked: true,
          queries: [
            {
              expr: `sum by (instance, role) (${of('ptq_worker_resident_memory_bytes')})`,
              legend: '{{role}} on {{instance}}',
            },
          ],
        }),
        graph({
          title: 'CPUs that workers use',
          description: 'CPU seconds a second.',
          unit: 'none',
          decimals: 2,
          width: 8,
          stacked: true,
          queries: [
            {
              expr: `sum by (instance, role) (${rate('ptq_worker_cpu_seconds_total')})`,
              legend: '{{role}} on {{instance}}',
            },
          ],
        }),
        graph({
          title: 'Storage that workers use',
          description: 'Bytes a second that really came from storage and went to it.',
          unit: 'Bps',
          width: 8,
          queries: [
            {
              expr: `sum by (instance, role) (${rate('ptq_worker_read_bytes_total')})`,
              legend: 'read by {{role}} on {{instance}}',
            },
            {
              expr: `sum by (instance, role) (${rate('ptq_worker_written_bytes_total')})`,
              legend: 'written by {{role}} on {{instance}}',
            },
          ],
        }),
        graph({
          title: 'GPU memory of workers',
          description: 'What our own processes hold of each GPU.',
          unit: 'bytes',
          width: 8,
          queries: [
            {
              expr: `sum by (instance, gpu_uuid, role) (${of('ptq_gpu_process_memory_bytes')})`,
              legend: '{{role}} on {{gpu_uuid}} of {{instance}}',
            },
          ],
        }),
        graph({
          title: 'Inferences',
          description: 'Samples a second that benchmarks measured.',
          unit: 'ops',
          width: 8,
          queries: [
            {
              expr: `sum by (instance, model, variant) (${rate('ptq_inferences_total', 'model=~"$model"')})`,
              legend: '{{model}} {{variant}} on {{instance}}',
            },
          ],
        }),
        graph({
          title: 'Failures by reason',
          description: 'Runs that ended in a problem, within an hour.',
          unit: 'none',
          decimals: 0,
          width: 8,
          queries: [
            {
              expr: `sum by (instance, reason) (increase(${of('ptq_job_failures_total')}[1h]))`,
              legend: '{{reason}} on {{instance}}',
            },
          ],
        }),
      ],
    },
  ],
});
