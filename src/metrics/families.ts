import { Counter, Gauge, type Registry } from 'prom-client';

type Labels<N extends string> = Readonly<Record<N, string>>;

/** A series of a family and its value. */
interface Series<N extends string> {
  readonly labels: Labels<N>;
  /** A series without a value, or with NaN, is not exported: a gap says more than a made-up number. */
  readonly value: number | undefined;
}

/** The series of one metric. It knows its label sets, so that series can go when what they describe is gone. */
export interface Family<N extends string> {
  set(labels: Labels<N>, value: number | undefined): void;
  /** Makes these the only series of the family. */
  replaceAll(series: readonly Series<N>[]): void;
  removeWhere(matches: (labels: Labels<N>) => boolean): void;
}

/** Where and under what name a family is exported. */
export interface FamilyOptions<N extends string> {
  readonly registry: Registry;
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly N[];
}

/** Values that go up and down. */
export function gaugeFamily<N extends string>(options: FamilyOptions<N>): Family<N> {
  const gauge = new Gauge<N>(prometheusOptions(options));
  return family({
    write: (labels, value) => gauge.set(labels, value),
    remove: (labels) => gauge.remove(labels),
  });
}

/**
 * Counters that something else counts, such as the kernel: their values are absolute. A counter of
 * prom-client can only be incremented, so each is taken away and counted up again from zero.
 */
export function absoluteCounterFamily<N extends string>(options: FamilyOptions<N>): Family<N> {
  const counter = new Counter<N>(prometheusOptions(options));
  return family({
    write: (labels, value) => {
      counter.remove(labels);
      counter.inc(labels, value);
    },
    remove: (labels) => counter.remove(labels),
  });
}

interface Writer<N extends string> {
  write(labels: Labels<N>, value: number): void;
  remove(labels: Labels<N>): void;
}

function family<N extends string>(writer: Writer<N>): Family<N> {
  const present = new Map<string, Labels<N>>();
  const keyOf = (labels: Labels<N>): string => JSON.stringify(Object.entries(labels).sort());
  const set = (labels: Labels<N>, value: number | undefined): void => {
    if (value === undefined || Number.isNaN(value)) {
      writer.remove(labels);
      present.delete(keyOf(labels));
    } else {
      writer.write(labels, value);
      present.set(keyOf(labels), labels);
    }
  };
  const removeWhere = (matches: (labels: Labels<N>) => boolean): void => {
    for (const labels of [...present.values()].filter(matches)) set(labels, undefined);
  };
  // prom-client starts a metric without labels at zero, which would be a reading that nobody took.
  writer.remove({} as Labels<N>);
  return {
    set,
    removeWhere,
    replaceAll: (series) => {
      removeWhere(() => true);
      for (const { labels, value } of series) set(labels, value);
    },
  };
}

function prometheusOptions<N extends string>({ registry, name, help, labelNames }: FamilyOptions<N>) {
  return { name, help, labelNames, registers: [registry] };
}
