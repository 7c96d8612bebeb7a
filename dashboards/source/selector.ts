/** The series of a metric on the hosts that the dashboard shows, narrowed further by `matchers`. */
export function of(metric: string, ...matchers: readonly string[]): string {
  return `${metric}{${['job=~"$job"', 'instance=~"$instance"', ...matchers].join(', ')}}`;
}

/** The same of the models and variants that are chosen. */
export function ofModel(metric: string, ...matchers: readonly string[]): string {
  return of(metric, 'model=~"$model"', 'variant=~"$variant"', ...matchers);
}

/** How fast a counter grows, over the interval that fits the width of the panel. */
export function rate(metric: string, ...matchers: readonly string[]): string {
  return `rate(${of(metric, ...matchers)}[$__rate_interval])`;
}
