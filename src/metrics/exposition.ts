import type { ExpositionFormat } from './exposition-format.ts';
import { boundText, escapeHelp, labelsText, unitOf, valueText } from './exposition-text.ts';
import type { MetricRegistry } from './families.ts';
import { SeriesFamily } from './series-family.ts';

/** One metric of the registry, without its values. */
export interface MetricDescription {
  /** As queries name it: a counter with `_total`. */
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'info' | 'histogram';
  readonly unit?: string;
  readonly labelNames: readonly string[];
  readonly help: string;
}

/** A value of a metric that prom-client keeps. */
interface ClientValue {
  /** Of a histogram: the metric's name with `_bucket`, `_sum` or `_count`. */
  readonly metricName?: string;
  readonly labels: { readonly le?: string | number; readonly [name: string]: string | number | undefined };
  readonly value: number;
  readonly exemplar?: {
    readonly labelSet: Readonly<Record<string, string>>;
    readonly value: number;
    /** Seconds since the Unix epoch. */
    readonly timestamp: number;
  } | null;
}

/** What a counter or histogram of prom-client has; its typings leave some of it out. */
interface ClientMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'histogram';
  readonly labelNames: readonly string[];
  get(): Promise<{ readonly values: readonly ClientValue[] }>;
}

function metricsOf(registry: MetricRegistry): readonly (SeriesFamily<string> | ClientMetric)[] {
  return registry.getMetricsAsArray() as unknown as readonly (SeriesFamily<string> | ClientMetric)[];
}

/** Every metric of the registry, in the order in which it was registered. */
export function describeMetrics(registry: MetricRegistry): readonly MetricDescription[] {
  return metricsOf(registry).map(({ name, type, help, labelNames }) => {
    const unit = unitOf(familyName(name, type));
    return { name, type, ...(unit === undefined ? {} : { unit }), labelNames, help };
  });
}

/**
 * Everything in the registry as a scrape sends it. Metrics without a series are left out.
 *
 * prom-client's own rendering is not used: that of OpenMetrics takes `_total` off the names of counters in the registry for
 * ever, and either builds all text anew on every scrape (`docs/decisions/2026-11-26-own-exposition.md`).
 * Source: Prometheus exposition formats 0.0.4; OpenMetrics 1.0.
 */
export async function renderExposition(registry: MetricRegistry, format: ExpositionFormat): Promise<string> {
  const parts: string[] = [];
  for (const metric of metricsOf(registry)) {
    const samples =
      metric instanceof SeriesFamily ? metric.samplesText() : await clientSamples(metric, format);
    if (samples !== '') parts.push(header(metric, format), samples);
  }
  if (format === 'openmetrics') parts.push('# EOF\n');
  return parts.join('');
}

function header({ name, type, help }: SeriesFamily<string> | ClientMetric, format: ExpositionFormat): string {
  if (format === 'text') {
    return `# HELP ${name} ${escapeHelp(help, format)}\n# TYPE ${name} ${type === 'info' ? 'gauge' : type}\n`;
  }
  const family = familyName(name, type);
  const unit = unitOf(family);
  const unitLine = unit === undefined ? '' : `# UNIT ${family} ${unit}\n`;
  return `# TYPE ${family} ${type}\n${unitLine}# HELP ${family} ${escapeHelp(help, format)}\n`;
}

/** OpenMetrics names a family without the suffix that its type gives to its samples. */
function familyName(name: string, type: MetricDescription['type']): string {
  if (type === 'counter') return name.replace(/_total$/, '');
  return type === 'info' ? name.replace(/_info$/, '') : name;
}

async function clientSamples(metric: ClientMetric, format: ExpositionFormat): Promise<string> {
  const { values } = await metric.get();
  let text = '';
  for (const { metricName = metric.name, labels, value, exemplar } of values) {
    text += `${metricName}${clientLabels(metric.labelNames, labels)} ${valueText(value)}`;
    if (format === 'openmetrics' && exemplar) {
      const names = Object.keys(exemplar.labelSet);
      text += ` # ${labelsText(names, exemplar.labelSet)} ${valueText(exemplar.value)} ${exemplar.timestamp}`;
    }
    text += '\n';
  }
  return text;
}

function clientLabels(names: readonly string[], { le, ...labels }: ClientValue['labels']): string {
  if (le === undefined) return labelsText(names, labels);
  return labelsText([...names, 'le'], { ...labels, le: typeof le === 'number' ? boundText(le) : le });
}
