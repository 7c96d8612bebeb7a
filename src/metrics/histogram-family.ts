import type { Metric } from 'prom-client';
import { labelsText } from './exposition-text.ts';
import type { FamilyOptions } from './families.ts';
import type { Labels } from './series-family.ts';

/** An observation that says where more is to be found. OpenMetrics carries it beside a bucket. */
export interface Exemplar {
  /** Names and values have at most 128 characters together (OpenMetrics 1.0). */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Milliseconds since the Unix epoch. */
  readonly wallMs: number;
}

/** Observations that were counted elsewhere. */
export interface CountedObservations {
  /** One a bound, and the last for those above all of them. An observation counts in its own bucket alone. */
  readonly counts: readonly number[];
  readonly sum: number;
  readonly exemplars: readonly Exemplar[];
}

interface Entry<N extends string> {
  readonly labels: Labels<N>;
  readonly counts: number[];
  sum: number;
  /** The newest of each bucket. */
  readonly exemplars: (Exemplar | undefined)[];
}

const MOST_EXEMPLAR_CHARACTERS = 128;

/**
 * A histogram that takes observations by the thousands, as they were counted. prom-client's own would have to see every one of
 * them, on the event loop of the daemon.
 */
export class HistogramFamily<N extends string> {
  readonly type = 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly N[];
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, Entry<N>>();

  /** @param bounds ascending: the largest values that belong to each bucket */
  constructor({
    registry,
    name,
    help,
    labelNames,
    bounds,
  }: FamilyOptions<N> & { readonly bounds: readonly number[] }) {
    this.name = name;
    this.help = help;
    this.labelNames = labelNames;
    this.#bounds = bounds;
    // prom-client's type names its own four classes; all that its registry uses of them the family has.
    registry.registerMetric(this as unknown as Metric);
  }

  add(labels: Labels<N>, { counts, sum, exemplars }: CountedObservations): void {
    const key = labelsText(this.labelNames, labels);
    const places = this.#bounds.length + 1;
    const entry = this.#series.get(key) ?? {
      labels,
      counts: new Array<number>(places).fill(0),
      sum: 0,
      exemplars: new Array<Exemplar | undefined>(places).fill(undefined),
    };
    this.#series.set(key, entry);
    for (let place = 0; place < places; place++)
      entry.counts[place] = (entry.counts[place] as number) + (counts[place] ?? 0);
    entry.sum += sum;
    for (const exemplar of exemplars) {
      if (charactersOf(exemplar) > MOST_EXEMPLAR_CHARACTERS) continue;
      const place = this.#bounds.findIndex((bound) => exemplar.value <= bound);
      entry.exemplars[place < 0 ? places - 1 : place] = exemplar;
    }
  }

  removeWhere(matches: (labels: Labels<N>) => boolean): void {
    for (const [key, { labels }] of this.#series) if (matches(labels)) this.#series.delete(key);
  }

  /** What prom-client asks of a metric in its registry. */
  async get() {
    const values = [...this.#series.values()].flatMap((entry) => this.#valuesOf(entry));
    const { name, help, type } = this;
    return { name, help, type, values, aggregator: 'sum' };
  }

  /** Takes all series away; prom-client calls it for `resetMetrics`. */
  reset(): void {
    this.#series.clear();
  }

  #valuesOf({ labels, counts, sum, exemplars }: Entry<N>) {
    let total = 0;
    const buckets = [...this.#bounds, Number.POSITIVE_INFINITY].map((bound, place) => {
      total += counts[place] as number;
      const exemplar = exemplars[place];
      return {
        metricName: `${this.name}_bucket`,
        labels: { ...labels, le: bound === Number.POSITIVE_INFINITY ? '+Inf' : bound },
        value: total,
        ...(exemplar === undefined
          ? {}
          : {
              exemplar: {
                labelSet: exemplar.labels,
                value: exemplar.value,
                timestamp: exemplar.wallMs / 1000,
              },
            }),
      };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: total },
    ];
  }
}

function charactersOf({ labels }: Exemplar): number {
  return Object.entries(labels).reduce(
    (total, [name, value]) => total + [...name].length + [...value].length,
    0,
  );
}
