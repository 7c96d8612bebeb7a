import { labelsText, valueText } from './exposition-text.ts';

export type Labels<N extends string> = Readonly<Record<N, string>>;

/** A series of a family and its value. */
export interface Series<N extends string> {
  readonly labels: Labels<N>;
  /** A series without a value, or with NaN, is not exported: a gap says more than a made-up number. */
  readonly value: number | undefined;
}

/** `counter`: its values are absolute, as what something else counts, such as the kernel. `info`: identity in labels, always 1. */
export type SeriesType = 'gauge' | 'counter' | 'info';

interface Entry<N extends string> {
  readonly labels: Labels<N>;
  value: number;
  /** The last `replaceAll` that had it. */
  generation: number;
}

/**
 * The series of one metric, kept under the text of their labels, so that a scrape neither builds nor hashes anything for a
 * series that it has seen before, and a family in which nothing changed is not even written again. prom-client's own
 * metrics cannot take absolute counts and keep objects that are turned into text on every scrape.
 */
export class SeriesFamily<N extends string> {
  readonly name: string;
  readonly help: string;
  readonly type: SeriesType;
  readonly labelNames: readonly N[];
  readonly #series = new Map<string, Entry<N>>();
  #generation = 0;
  #text: string | undefined = '';

  constructor(name: string, help: string, type: SeriesType, labelNames: readonly N[]) {
    this.name = name;
    this.help = help;
    this.type = type;
    this.labelNames = labelNames;
  }

  set(labels: Labels<N>, value: number | undefined): void {
    const key = labelsText(this.labelNames, labels);
    if (value === undefined || Number.isNaN(value)) {
      if (this.#series.delete(key)) this.#text = undefined;
      return;
    }
    const known = this.#series.get(key);
    if (known === undefined) {
      this.#series.set(key, { labels, value, generation: this.#generation });
    } else {
      known.generation = this.#generation;
      if (Object.is(known.value, value)) return;
      known.value = value;
    }
    this.#text = undefined;
  }

  /** Counts on from the value of the series, or from zero. */
  add(labels: Labels<N>, amount: number): void {
    const known = this.#series.get(labelsText(this.labelNames, labels));
    this.set(labels, (known?.value ?? 0) + amount);
  }

  /** Makes these the only series of the family. */
  replaceAll(series: readonly Series<N>[]): void {
    this.#generation += 1;
    for (const { labels, value } of series) this.set(labels, value);
    for (const [key, { generation }] of this.#series) {
      if (generation !== this.#generation) this.#delete(key);
    }
  }

  removeWhere(matches: (labels: Labels<N>) => boolean): void {
    for (const [key, { labels }] of this.#series) if (matches(labels)) this.#delete(key);
  }

  #delete(key: string): void {
    this.#series.delete(key);
    this.#text = undefined;
  }

  /** The lines of all series, the same in both formats. */
  samplesText(): string {
    this.#text ??= this.#write();
    return this.#text;
  }

  #write(): string {
    const parts: string[] = [];
    for (const [key, { value }] of this.#series) parts.push(this.name, key, ' ', valueText(value), '\n');
    // One that was added up stays a tree of its parts, which every scrape would have to walk again.
    return parts.join('');
  }

  /** What prom-client asks of a metric in its registry. */
  async get() {
    const values = [...this.#series.values()].map(({ labels, value }) => ({ labels, value }));
    const { name, help, type } = this;
    return { name, help, type: type === 'info' ? 'gauge' : type, values, aggregator: 'sum' };
  }

  /** Takes all series away; prom-client calls it for `resetMetrics`. */
  reset(): void {
    this.replaceAll([]);
  }
}
