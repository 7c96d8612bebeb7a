import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import type {
  DynamicConfigValue,
  Panel,
  Threshold,
  ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { PanelBuilder as XyChartBuilder } from '@grafana/grafana-foundation-sdk/xychart';

/** Every query goes to the data source that the dashboard's first variable names. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana writes its variables so.
export const DATA_SOURCE = { type: 'prometheus', uid: '${datasource}' };

/** One query of a panel. */
export interface Query {
  readonly expr: string;
  /** How a series is called, with labels in double braces. */
  readonly legend?: string;
  /** Shows where queries of traces lie on the histogram. */
  readonly exemplar?: boolean;
}

/** What every panel has. */
interface Common {
  readonly title: string;
  readonly description: string;
  /** As Grafana names units: `s`, `bytes`, `percentunit`. */
  readonly unit: string;
  /** Of 24 columns. */
  readonly width: number;
  readonly height?: number;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  readonly mappings?: readonly ValueMapping[];
  /** From which value on which colour holds; the first has no value. */
  readonly thresholds?: readonly Threshold[];
  readonly overrides?: readonly {
    readonly field: string;
    readonly properties: readonly DynamicConfigValue[];
  }[];
}

export interface GraphSpec extends Common {
  readonly queries: readonly Query[];
  readonly stacked?: boolean;
  /** Values that change once a run are points joined by steps. */
  readonly points?: boolean;
}

const HEIGHT = 8;

/** Lines over time. */
export function graph(spec: GraphSpec): Builder<Panel> {
  const panel = dress(new TimeseriesBuilder(), spec)
    .targets(spec.queries.map((query, at) => rangeQuery(query, at)))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .drawStyle(GraphDrawStyle.Line)
    .lineWidth(1)
    .fillOpacity(spec.stacked ? 40 : 5)
    .showPoints(spec.points ? VisibilityMode.Always : VisibilityMode.Never)
    .spanNulls(spec.points ?? false);
  return spec.stacked ? panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal)) : panel;
}

export interface NumberSpec extends Common {
  readonly queries: readonly Query[];
  /** Shows the name of the series instead of its value. */
  readonly named?: boolean;
  /** Draws the course of the value behind it. */
  readonly course?: boolean;
}

/** Single figures in large type. */
export function number(spec: NumberSpec): Builder<Panel> {
  return dress(new StatBuilder(), { height: 4, ...spec })
    .targets(spec.queries.map((query, at) => (spec.course ? rangeQuery(query, at) : instantQuery(query, at))))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false).fields(''))
    .colorMode(spec.thresholds === undefined ? BigValueColorMode.None : BigValueColorMode.Background)
    .graphMode(spec.course ? BigValueGraphMode.Area : BigValueGraphMode.None)
    .textMode(spec.named ? BigValueTextMode.Name : BigValueTextMode.ValueAndName);
}

export interface TableSpec extends Omit<Common, 'overrides'> {
  /** One a column; what they have in common are the first columns. */
  readonly columns: readonly {
    readonly name: string;
    readonly expr: string;
    readonly unit?: string;
    readonly decimals?: number;
    readonly mappings?: readonly ValueMapping[];
    readonly thresholds?: readonly Threshold[];
  }[];
  /** The labels that become columns, in their order. */
  readonly labels: readonly string[];
}

/** A row for each combination of labels, a column for each query. */
export function table(spec: TableSpec): Builder<Panel> {
  const { columns, labels } = spec;
  const refs = columns.map((_, at) => refId(at));
  const values = columns.map(({ name }, at) => [`Value #${refs[at]}`, name] as const);
  const panel = dress(new TableBuilder(), spec)
    .targets(columns.map((column, at) => instantQuery(column, at).format(PromQueryFormat.Table)))
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries(
          [...labels, ...values.map(([field]) => field)].map((field, at) => [field, at]),
        ),
        renameByName: Object.fromEntries(values),
      },
    })
    .filterable(true);
  for (const { name, unit, decimals, mappings, thresholds } of columns) {
    panel.overrideByName(name, [
      ...(unit === undefined ? [] : [{ id: 'unit', value: unit }]),
      ...(decimals === undefined ? [] : [{ id: 'decimals', value: decimals }]),
      ...(mappings === undefined ? [] : [{ id: 'mappings', value: mappings }]),
      ...(thresholds === undefined
        ? []
        : [
            { id: 'thresholds', value: { mode: ThresholdsMode.Absolute, steps: thresholds } },
            { id: 'custom.cellOptions', value: { type: 'color-background', mode: 'basic' } },
          ]),
    ]);
  }
  return panel;
}

/** Bands over time, one a series, coloured by what their value means. */
export function states(spec: Omit<GraphSpec, 'stacked' | 'points'>): Builder<Panel> {
  return dress(new StateTimelineBuilder(), spec)
    .targets(spec.queries.map((query, at) => rangeQuery(query, at)))
    .mergeValues(true)
    .showValue(VisibilityMode.Auto)
    .rowHeight(0.8)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    );
}

export interface ScatterSpec extends Common {
  readonly x: { readonly name: string; readonly expr: string; readonly unit: string };
  readonly y: { readonly name: string; readonly expr: string };
}

/** A point for each combination of labels; `x` and `y` have the same labels. */
export function scatter(spec: ScatterSpec): Builder<Panel> {
  const { x, y } = spec;
  return dress(new XyChartBuilder(), spec)
    .targets([x, y].map((query, at) => instantQuery(query, at).format(PromQueryFormat.Table)))
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: { excludeByName: { Time: true }, renameByName: { 'Value #A': x.name, 'Value #B': y.name } },
    })
    .overrideByName(x.name, [{ id: 'unit', value: x.unit }])
    .pointSize({ fixed: 9 })
    .legend(new VizLegendOptionsBuilder().showLegend(false));
}

/** What the builders of all kinds of panels have in common. */
interface AnyPanelBuilder<B> {
  title(title: string): B;
  description(description: string): B;
  datasource(ref: { type: string; uid: string }): B;
  height(h: number): B;
  span(w: number): B;
  unit(unit: string): B;
  decimals(decimals: number): B;
  min(min: number): B;
  max(max: number): B;
  mappings(mappings: ValueMapping[]): B;
  thresholds(thresholds: ThresholdsConfigBuilder): B;
  overrideByName(name: string, properties: DynamicConfigValue[]): B;
}

function dress<B extends AnyPanelBuilder<B>>(panel: B, spec: Common): B {
  panel
    .title(spec.title)
    .description(spec.description)
    .datasource(DATA_SOURCE)
    .unit(spec.unit)
    .span(spec.width)
    .height(spec.height ?? HEIGHT)
    .thresholds(
      new ThresholdsConfigBuilder()
        .mode(ThresholdsMode.Absolute)
        .steps([...(spec.thresholds ?? [{ value: null, color: 'green' }])]),
    );
  if (spec.decimals !== undefined) panel.decimals(spec.decimals);
  if (spec.min !== undefined) panel.min(spec.min);
  if (spec.max !== undefined) panel.max(spec.max);
  if (spec.mappings !== undefined) panel.mappings([...spec.mappings]);
  for (const { field, properties } of spec.overrides ?? []) panel.overrideByName(field, [...properties]);
  return panel;
}

function query({ expr, legend, exemplar }: Query, at: number): DataqueryBuilder {
  const builder = new DataqueryBuilder().expr(expr).refId(refId(at)).datasource(DATA_SOURCE);
  if (legend !== undefined) builder.legendFormat(legend);
  return exemplar ? builder.exemplar(true) : builder;
}

function rangeQuery(of: Query, at: number): Builder<Dataquery> {
  return query(of, at).range();
}

function instantQuery(of: Query, at: number): DataqueryBuilder {
  return query(of, at).instant();
}

/** A, B, C … as Grafana names the queries of a panel. */
function refId(at: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + at);
}
