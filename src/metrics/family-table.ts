import { type MetricRegistry, seriesFamily } from './families.ts';
import type { Labels, Series, SeriesFamily, SeriesType } from './series-family.ts';

/** One metric of a group: its name and what it is of an item. */
export type FamilyRow<T> = {
  readonly name: string;
  readonly type: SeriesType;
  readonly help: string;
} & (
  | {
      /** Undefined: the item has no series. */
      readonly value: (item: T) => number | undefined;
    }
  | {
      /** A label more, whose values are the keys of `values`: one series each. */
      readonly by: string;
      readonly values: (item: T) => Readonly<Record<string, number | undefined>> | undefined;
    }
);

/** Metrics that share their labels, as all those of a disk do. A row is all that a new one needs. */
export interface FamilyGroup<S, T, N extends string> {
  /** What is described, such as disks; none where it was not read. */
  readonly items: (source: S) => readonly T[];
  readonly labelNames: readonly N[];
  readonly labels: (item: T) => Labels<N>;
  readonly rows: readonly FamilyRow<T>[];
}

/** Registers the metrics of a group; what comes back makes the items of a source the only ones that they show. */
export type RegisterGroup<S> = (registry: MetricRegistry) => (source: S) => void;

/** The group, with the types of its items and labels forgotten, so that groups can stand in one list. */
export function familyGroup<S, T, N extends string>(group: FamilyGroup<S, T, N>): RegisterGroup<S> {
  return (registry) => {
    const families = group.rows.map((row) => registerRow(row, group.labelNames, registry));
    return (source) => {
      const items = group.items(source).map((item) => ({ item, labels: group.labels(item) }));
      for (const { row, family } of families) {
        family.replaceAll(items.flatMap(({ item, labels }) => seriesOf(row, item, labels)));
      }
    };
  };
}

/** Registers several groups that are made from the same source. */
export function registerGroups<S>(
  registry: MetricRegistry,
  groups: readonly RegisterGroup<S>[],
): (source: S) => void {
  const setters = groups.map((register) => register(registry));
  return (source) => {
    for (const set of setters) set(source);
  };
}

function registerRow<T>(row: FamilyRow<T>, labelNames: readonly string[], registry: MetricRegistry) {
  const { name, help, type } = row;
  const names = 'by' in row ? [...labelNames, row.by] : labelNames;
  const family: SeriesFamily<string> = seriesFamily(type, { registry, name, help, labelNames: names });
  return { row, family };
}

function seriesOf<T>(
  row: FamilyRow<T>,
  item: T,
  labels: Labels<string>,
): Series<string> | readonly Series<string>[] {
  if ('value' in row) return { labels, value: row.value(item) };
  return Object.entries(row.values(item) ?? {}).map(([key, value]) => ({
    labels: { ...labels, [row.by]: key },
    value,
  }));
}
