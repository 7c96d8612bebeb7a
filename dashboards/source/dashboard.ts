import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  type VariableModel,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DATA_SOURCE } from './panel.ts';

/** A dashboard: rows of panels, and what can be chosen above them. */
export interface DashboardSpec {
  /** In its address, so links to it stay right: `ptq-fleet`. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly { readonly title: string; readonly panels: readonly Builder<Panel>[] }[];
  /** What can be chosen besides the data source, the job and the instances. */
  readonly variables?: readonly Choice[];
  readonly annotations?: readonly Annotation[];
  /** Where the time range begins, such as `now-6h`. */
  readonly from: string;
}

/** A choice among the values of a label. */
export interface Choice {
  readonly label: string;
  readonly title: string;
  /** A series that has it. */
  readonly metric: string;
  /** Matchers of choices that stand before it. */
  readonly matchers?: readonly string[];
}

export interface Annotation {
  readonly name: string;
  readonly expr: string;
  readonly title: string;
  readonly color: string;
}

const TAG = 'ptq-agent';

/** The dashboard as Grafana's provisioning reads it. */
export function makeDashboard(spec: DashboardSpec): Dashboard {
  const builder = new DashboardBuilder(spec.title)
    .uid(spec.uid)
    .description(spec.description)
    .tags([TAG])
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: spec.from, to: 'now' })
    .refresh('30s')
    .timezone('browser')
    .variables([
      new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'),
      choice({ label: 'job', title: 'Job', metric: 'ptq_build_info' }, ''),
      choice({ label: 'instance', title: 'Instance', metric: 'ptq_build_info' }, 'job=~"$job"'),
      ...(spec.variables ?? []).map((of) =>
        choice(of, ['job=~"$job"', 'instance=~"$instance"', ...(of.matchers ?? [])].join(', ')),
      ),
    ])
    .link(
      new DashboardLinkBuilder('ptq-agent')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    );
  for (const { name, expr, title, color } of spec.annotations ?? []) {
    builder.annotation(
      new AnnotationQueryBuilder()
        .name(name)
        .datasource(DATA_SOURCE)
        .enable(true)
        .expr(expr)
        .titleFormat(title)
        .iconColor(color),
    );
  }
  for (const { title, panels } of spec.rows) {
    builder.withRow(new RowBuilder(title));
    for (const panel of panels) builder.withPanel(panel);
  }
  return builder.build();
}

function choice({ label, title, metric }: Choice, matchers: string): Builder<VariableModel> {
  const selector = matchers === '' ? metric : `${metric}{${matchers}}`;
  return new QueryVariableBuilder(label)
    .label(title)
    .datasource(DATA_SOURCE)
    .query(`label_values(${selector}, ${label})`)
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ text: 'All', value: '$__all' })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
}
