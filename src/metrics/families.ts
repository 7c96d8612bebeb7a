import { type Metric, type OpenMetricsContentType, Registry } from 'prom-client';
import { SeriesFamily, type SeriesType } from './series-family.ts';

export type MetricRegistry = Registry<OpenMetricsContentType>;

/** An empty registry. It is of the kind in which prom-client lets metrics have exemplars; each scrape chooses its format. */
export function createRegistry(): MetricRegistry {
  const registry: MetricRegistry = new Registry();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  return registry;
}

/** Where and under what name a family is exported. */
export interface FamilyOptions<N extends string> {
  readonly registry: MetricRegistry;
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly N[];
}

/** Values that go up and down. */
export function gaugeFamily<N extends string>(options: FamilyOptions<N>): SeriesFamily<N> {
  return seriesFamily('gauge', options);
}

/** Counters that something else counts, such as the kernel: their values are absolute, and start again when its do. */
export function absoluteCounterFamily<N extends string>(options: FamilyOptions<N>): SeriesFamily<N> {
  return seriesFamily('counter', options);
}

/** Makes a family and puts it into the registry, which throws for a name that it has already. */
export function seriesFamily<N extends string>(
  type: SeriesType,
  { registry, name, help, labelNames }: FamilyOptions<N>,
): SeriesFamily<N> {
  const family = new SeriesFamily(name, help, type, labelNames);
  // prom-client's type names its own four classes; all that its registry uses of them the family has.
  registry.registerMetric(family as unknown as Metric);
  return family;
}

/** Registers a gauge with a registry that is known already. */
export type MakeGauge = <N extends string>(
  name: string,
  help: string,
  labelNames: readonly N[],
) => SeriesFamily<N>;
