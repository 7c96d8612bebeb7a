import type { Dashboard, Panel, VariableModel } from '@grafana/grafana-foundation-sdk/dashboard';

/** The parts of a query that rules look at. */
interface Target {
  readonly refId?: string;
  readonly expr?: string;
  readonly datasource?: { readonly uid?: string };
}

/** A panel with its queries as they stand in the file. */
export interface LintedPanel extends Omit<Panel, 'targets'> {
  readonly targets?: readonly Target[];
}

/** The panels that draw something, rows left out. */
export function panelsOf(dashboard: Dashboard): readonly LintedPanel[] {
  return (dashboard.panels ?? []).flatMap((panel) => {
    const inner = 'panels' in panel && Array.isArray(panel.panels) ? panel.panels : [];
    return [...(panel.type === 'row' ? [] : [panel]), ...inner] as readonly LintedPanel[];
  });
}

/** The queries of a dashboard, each with the panel that it is of. */
export function queriesOf(
  dashboard: Dashboard,
): readonly { readonly panel: string; readonly expr: string }[] {
  return panelsOf(dashboard).flatMap(({ title = '', targets = [] }) =>
    targets.map(({ expr = '' }) => ({ panel: title, expr })),
  );
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana writes its variables so.
export const DATA_SOURCE = '${datasource}';
const MATCHERS = ['job=~"$job"', 'instance=~"$instance"'];

/**
 * What Grafana's dashboard-linter would complain about, one sentence each.
 * Source: the rules in its documentation (template-*, panel-*, target-*, uneditable).
 */
export function lintDashboard(dashboard: Dashboard): readonly string[] {
  return [
    ...lintTemplate(dashboard),
    ...panelsOf(dashboard).flatMap((panel) => lintPanel(panel)),
    ...(dashboard.editable === false ? [] : ['uneditable-dashboard: the dashboard can be edited']),
  ];
}

function lintTemplate({ templating }: Dashboard): readonly string[] {
  const variables: readonly VariableModel[] = templating?.list ?? [];
  const found = (name: string) => variables.find((variable) => variable.name === name);
  const complaints: string[] = [];
  const say = (holds: boolean, complaint: string) => {
    if (!holds) complaints.push(complaint);
  };
  const source = found('datasource');
  say(source?.type === 'datasource', 'template-datasource-rule: no variable datasource');
  say(source?.query === 'prometheus', 'template-datasource-rule: it is not of Prometheus');
  say(source?.label === 'Data source', 'template-datasource-rule: it is not called Data source');
  for (const [name, label] of [
    ['job', 'Job'],
    ['instance', 'Instance'],
  ]) {
    const rule = `template-${name}-rule`;
    const variable = found(name ?? '');
    say(variable?.type === 'query', `${rule}: no variable ${name}`);
    say(variable?.label === label, `${rule}: it is not called ${label}`);
    say(variable?.datasource?.uid === DATA_SOURCE, `${rule}: it asks another data source`);
    say(
      variable?.multi === true && variable.includeAll === true,
      `${rule}: one cannot choose several, or all`,
    );
    say(variable?.allValue === '.+', `${rule}: all is not .+`);
  }
  for (const variable of variables.filter(({ type }) => type === 'query')) {
    const query = typeof variable.query === 'string' ? variable.query : '';
    say(
      /^label_values\([a-z_]+(\{[^{}]*\})?, [a-z_]+\)$/.test(query),
      `template-label-promql-rule: ${variable.name}: '${query}' is no label_values of one selector`,
    );
    say(variable.refresh === 2, `template-on-time-change-reload-rule: ${variable.name}`);
  }
  return complaints;
}

function lintPanel(panel: LintedPanel): readonly string[] {
  const title = panel.title ?? '';
  const complaints: string[] = [];
  const say = (holds: boolean, rule: string) => {
    if (!holds) complaints.push(`${rule}: '${title}'`);
  };
  say(title !== '' && (panel.description ?? '') !== '', 'panel-title-description-rule');
  say(panel.datasource?.uid === DATA_SOURCE, 'panel-datasource-rule');
  say(panel.fieldConfig?.defaults?.unit !== undefined, 'panel-units-rule');
  say((panel.targets ?? []).length > 0, 'panel-no-targets-rule');
  for (const { expr = '', datasource } of panel.targets ?? []) {
    say(datasource?.uid === DATA_SOURCE, 'panel-datasource-rule');
    for (const selector of expr.matchAll(/[a-zA-Z_:]\w*\{([^}]*)\}/g)) {
      for (const matcher of MATCHERS)
        say(selector[1]?.includes(matcher) === true, 'target-job-instance-rule');
    }
    say(/\{/.test(expr), 'target-job-instance-rule');
    for (const [, window] of expr.matchAll(/\b(?:rate|irate)\([^[\]]*\[([^\]]+)\]/g))
      say(window === '$__rate_interval', 'target-rate-interval-rule');
    for (const counter of expr.matchAll(/(\w+\()?\s*\w+_total\{/g))
      say(/^(rate|irate|increase)\($/.test(counter[1] ?? ''), 'target-counter-agg-rule');
  }
  return complaints;
}
