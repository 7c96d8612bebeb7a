/** A query as Grafana sends it when everything is chosen. */
export function chosen(expr: string): string {
  return expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(job|instance|model|variant)\b/g, '.+');
}

/** The names of metrics that a query selects. */
export function metricsIn(expr: string): readonly string[] {
  return [...expr.matchAll(/\b([a-zA-Z_]\w*)\{/g)].map(([, name = '']) => name);
}
