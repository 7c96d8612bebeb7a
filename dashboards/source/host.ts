import { makeDashboard } from './dashboard.ts';
import { graph, number, states, table } from './panel.ts';
import { of, rate } from './selector.ts';
import { words } from './value-words.ts';

const PERCENT_OF_LIFE = [
  { value: null, color: 'green' },
  { value: 0.8, color: 'yellow' },
  { value: 0.9, color: 'red' },
];
const UP = [
  { value: null, color: 'red' },
  { value: 1, color: 'green' },
];

/** CPU, memory, disks, GPUs of the hosts, and whether they can be read at all. */
export const host = makeDashboard({
  uid: 'ptq-host',
  title: 'ptq-agent / Host',
  description: 'CPU, memory, pressure, disks, NVMe drives and GPUs of the hosts that run agents.',
  from: 'now-1h',
  rows: [
    {
      title: 'What it is',
      panels: [
        table({
          title: 'Hosts',
          description: 'What each host is, and what its agent runs on.',
          unit: 'none',
          width: 24,
          height: 5,
          labels: ['instance', 'cpu_model', 'distribution', 'release', 'kernel', 'virtualization'],
          columns: [
            {
              name: 'hosts',
              expr: `count by (instance, cpu_model, distribution, release, kernel, virtualization) (${of('ptq_host_info')})`,
            },
          ],
        }),
      ],
    },
    {
      title: 'CPU and memory',
      panels: [
        graph({
          title: 'CPU by mode',
          description:
            'CPUs busy in each mode, of all hosts that are chosen on top of each other; idle is left out.',
          unit: 'none',
          decimals: 2,
          width: 12,
          stacked: true,
          queries: [
            {
              expr: `sum by (instance, mode) (${rate('ptq_host_cpu_seconds_total', 'mode!="idle"')})`,
              legend: '{{mode}} on {{instance}}',
            },
          ],
        }),
        graph({
          title: 'Clock',
          description:
            'Of the slowest CPU, on average, of the fastest. Clocks that change make latencies change.',
          unit: 'rotHz',
          width: 6,
          queries: [
            {
              expr: `max by (instance, statistic) (${of('ptq_host_cpu_frequency_hertz')})`,
              legend: '{{statistic}} on {{instance}}',
            },
          ],
        }),
        graph({
          title: 'Throttling of CPUs',
          description: 'Times a second that heat made cores or packages slow down.',
          unit: 'ops',
          width: 6,
          queries: [
            {
              expr: `sum by (instance, scope) (${rate('ptq_host_cpu_throttle_events_total')})`,
              legend: '{{scope}} on {{instance}}',
            },
          ],
        }),
        graph({
          title: 'Memory',
          description: 'What can be allocated without swapping, and all there is.',
          unit: 'bytes',
          width: 12,
          min: 0,
          queries: [
            {
              expr: `max by (instance) (${of('ptq_host_memory_available_bytes')})`,
              legend: 'available on {{instance}}',
            },
            {
              expr: `max by (instance) (${of('ptq_host_memory_total_bytes')})`,
              legend: 'total on {{instance}}',
            },
          ],
        }),
        graph({
          title: 'Pressure',
          description: 'Share of time in which some, or all, tasks waited for CPU, memory or storage.',
          unit: 'percentunit',
          width: 12,
          min: 0,
          queries: [
            {
              expr: `sum by (instance, resource, kind) (${rate('ptq_host_pressure_seconds_total')})`,
              legend: '{{resource}}, {{kind}} on {{instance}}',
            },
          ],
        }),
        graph({
          title: 'Power of processors',
          description: 'By RAPL, where the host counts it.',
          unit: 'watt',
          width: 12,
          queries: [
            {
              expr: `sum by (instance, zone) (${rate('ptq_rapl_joules_total')})`,
              legend: '{{zone}} on {{instance}}',
            },
          ],
        }),
        graph({
          title: 'Temperature',
          description: 'Thermal zones of the kernel.',
          unit: 'celsius',
          width: 12,
          queries: [
            {
              expr: `max by (instance, zone, type) (${of('ptq_thermal_zone_celsius')})`,
              legend: '{{type}} {{zone}} on {{instance}}',
            },
          ],
        }),
      ],
    },
    {
      title: 'Disks and NVMe drives',
      panels: [
        graph({
          title: 'Bandwidth',
          description: 'Bytes a second read and written, by device.',
          unit: 'Bps',
          width: 12,
          queries: [
            {
              expr: `sum by (instance, device) (${rate('ptq_disk_read_bytes_total')})`,
              legend: 'read from {{device}} of {{instance}}',
            },
            {
              expr: `sum by (instance, device) (${rate('ptq_disk_written_bytes_total')})`,
              legend: 'written to {{device}} of {{instance}}',
            },
          ],
        }),
        graph({
          title: 'Queue depth',
          description: 'Mean number of requests that were with the device.',
          unit: 'none',
          decimals: 2,
          width: 6,
          queries: [
            {
              expr: `sum by (instance, device) (${rate('ptq_disk_io_time_weighted_seconds_total')})`,
              legend: '{{device}} of {{instance}}',
            },
          ],
        }),
        graph({
          title: 'Busy',
          description:
            'Share of time in which the device had a request; a drive that takes many at once is not full at 100 %.',
          unit: 'percentunit',
          width: 6,
          min: 0,
          queries: [
            {
              expr: `sum by (instance, device) (${rate('ptq_disk_io_time_seconds_total')})`,
              legend: '{{device}} of {{instance}}',
            },
          ],
        }),
        number({
          title: 'Wear of NVMe drives',
          description: 'How much of its life a drive has used, as its maker estimates it.',
          unit: 'percentunit',
          width: 12,
          height: 8,
          thresholds: PERCENT_OF_LIFE,
          queries: [
            {
              expr: `max by (instance, device) (${of('ptq_nvme_percentage_used_ratio')})`,
              legend: '{{device}} of {{instance}}',
            },
          ],
        }),
        graph({
          title: 'Temperature of NVMe drives',
          description: 'The composite temperature.',
          unit: 'celsius',
          width: 12,
          queries: [
            {
              expr: `max by (instance, device) (${of('ptq_nvme_temperature_celsius')})`,
              legend: '{{device}} of {{instance}}',
            },
          ],
        }),
      ],
    },
    {
      title: 'GPUs',
      panels: [
        graph({
          title: 'Utilization',
          description: 'Share of time in which a kernel ran: how busy a GPU is, not how well it is used.',
          unit: 'percentunit',
          width: 12,
          min: 0,
          max: 1,
          queries: [
            {
              expr: `max by (instance, gpu_uuid) (${of('ptq_gpu_utilization_ratio')})`,
              legend: '{{gpu_uuid}} of {{instance}}',
            },
          ],
        }),
        graph({
          title: 'Memory in use',
          description: 'Of each GPU, whoever uses it.',
          unit: 'bytes',
          width: 12,
          min: 0,
          queries: [
            {
              expr: `max by (instance, gpu_uuid) (${of('ptq_gpu_memory_used_bytes')})`,
              legend: '{{gpu_uuid}} of {{instance}}',
            },
          ],
        }),
        graph({
          title: 'Power',
          description: 'What each GPU draws, and the limit in force.',
          unit: 'watt',
          width: 8,
          queries: [
            {
              expr: `max by (instance, gpu_uuid) (${of('ptq_gpu_power_watts')})`,
              legend: '{{gpu_uuid}} of {{instance}}',
            },
            {
              expr: `max by (instance, gpu_uuid) (${of('ptq_gpu_power_limit_watts')})`,
              legend: 'limit of {{gpu_uuid}}',
            },
          ],
        }),
        graph({
          title: 'Clocks of GPUs',
          description: 'Graphics and memory clocks at this moment.',
          unit: 'rotHz',
          width: 8,
          queries: [
            {
              expr: `max by (instance, gpu_uuid, domain) (${of('ptq_gpu_clock_hertz')})`,
              legend: '{{domain}} of {{gpu_uuid}}',
            },
          ],
        }),
        graph({
          title: 'Temperature of GPUs',
          description: 'Of chip and memory.',
          unit: 'celsius',
          width: 8,
          queries: [
            {
              expr: `max by (instance, gpu_uuid, sensor) (${of('ptq_gpu_temperature_celsius')})`,
              legend: '{{sensor}} of {{gpu_uuid}}',
            },
          ],
        }),
        states({
          title: 'What holds the clocks of GPUs back',
          description: 'A reason that is in force. Benchmarks taken meanwhile are marked as invalid.',
          unit: 'none',
          width: 12,
          mappings: words('no', 'in force'),
          thresholds: [
            { value: null, color: 'green' },
            { value: 1, color: 'orange' },
          ],
          queries: [
            {
              expr: `max by (instance, gpu_uuid, reason) (${of('ptq_gpu_throttle_active')})`,
              legend: '{{reason}} on {{gpu_uuid}}',
            },
          ],
        }),
        graph({
          title: 'Errors of GPU memory',
          description: 'Since the driver was loaded; one uncorrected error is one too many.',
          unit: 'none',
          decimals: 0,
          width: 12,
          queries: [
            {
              expr: `max by (instance, gpu_uuid, type) (${of('ptq_gpu_ecc_errors', 'scope="volatile"')})`,
              legend: '{{type}} on {{gpu_uuid}}',
            },
          ],
        }),
      ],
    },
    {
      title: 'The sampler and the daemon',
      panels: [
        states({
          title: 'Collectors',
          description:
            'Whether the last reading of each succeeded. A host without such a source has no series.',
          unit: 'none',
          width: 12,
          mappings: words('failed', 'read'),
          thresholds: UP,
          queries: [
            {
              expr: `min by (instance, collector) (${of('ptq_sampler_up')})`,
              legend: '{{collector}} on {{instance}}',
            },
          ],
        }),
        graph({
          title: 'Time of a reading',
          description: 'Mean time that one reading of a collector took.',
          unit: 's',
          width: 6,
          queries: [
            {
              expr: `sum by (instance, collector) (${rate('ptq_sampler_duration_seconds_sum')}) / sum by (instance, collector) (${rate('ptq_sampler_duration_seconds_count')})`,
              legend: '{{collector}} on {{instance}}',
            },
          ],
        }),
        graph({
          title: 'What the agent itself takes',
          description: 'CPUs that the daemon and its sampler use, workers left out.',
          unit: 'percentunit',
          width: 6,
          queries: [
            {
              expr: `sum by (instance) (${rate('process_cpu_seconds_total')})`,
              legend: 'daemon on {{instance}}',
            },
            {
              expr: `sum by (instance, source) (${rate('ptq_sampler_cpu_seconds_total')})`,
              legend: 'sampler, {{source}}, on {{instance}}',
            },
          ],
        }),
      ],
    },
  ],
});
