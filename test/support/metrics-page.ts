import type { MetricDescription } from '../../src/metrics/exposition.ts';

// The first that fits has the metric; one that fits none is a mistake.
const SECTIONS: readonly { readonly title: string; readonly names: RegExp }[] = [
  { title: 'Quantization', names: /^ptq_(quantize|calibration|model)_/ },
  { title: 'Accuracy', names: /^ptq_(accuracy|agreement|changed|golden|sqnr)/ },
  { title: 'Benchmarks', names: /^ptq_(bench|inferences|latency)_/ },
  { title: 'The last run', names: /^ptq_run_/ },
  { title: 'Host', names: /^ptq_(host|rapl|thermal)_/ },
  { title: 'Disks and NVMe drives', names: /^ptq_(disk|nvme)_/ },
  { title: 'GPUs', names: /^ptq_gpu_/ },
  { title: 'Worker processes', names: /^ptq_worker_/ },
  { title: 'Sampler', names: /^ptq_sampler_/ },
  { title: 'Storage', names: /^ptq_storage_/ },
  { title: 'Daemon', names: /^(ptq_build|process|ptq_(job|schedule|capture|config|http|webhook))/ },
];

const BEGIN =
  '<!-- made from the registry: UPDATE_GOLDEN=1 npx vitest run test/unit/metrics/docs.test.ts -->';
const END = '<!-- end of what is made -->';

/** The page with its tables made anew from what is registered; what was written by hand stays. */
export function withMetricTables(page: string, metrics: readonly MetricDescription[]): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error('the page does not say where its tables are');
  return `${page.slice(0, begin)}${BEGIN}\n\n${metricTables(metrics)}\n${page.slice(end)}`;
}

function metricTables(metrics: readonly MetricDescription[]): string {
  const homeless = metrics.find(({ name }) => sectionOf(name) === undefined);
  if (homeless !== undefined) throw new Error(`${homeless.name} belongs to no section of the page`);
  return SECTIONS.map(({ title }) => {
    const own = metrics.filter(({ name }) => sectionOf(name) === title);
    const rows = own.map(tableRow).join('');
    return own.length === 0
      ? ''
      : `## ${title}\n\n| metric | type | unit | labels | meaning |\n|---|---|---|---|---|\n${rows}\n`;
  }).join('');
}

function sectionOf(name: string): string | undefined {
  return SECTIONS.find(({ names }) => names.test(name))?.title;
}

function tableRow({ name, type, unit, labelNames, help }: MetricDescription): string {
  const labels = labelNames.map((label) => `\`${label}\``).join(', ');
  return `| \`${name}\` | ${type} | ${unit?.replaceAll('_', ' ') ?? ''} | ${labels} | ${help.replaceAll('|', '\\|')} |\n`;
}
