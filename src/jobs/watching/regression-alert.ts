import type { WatchedSeries } from '../../store/watched.ts';
import type { Alert } from '../../webhook/alert-payload.ts';

const NAMES = {
  accuracy: { alertname: 'PtqAccuracyRegressed', severity: 'critical' },
  latency: { alertname: 'PtqLatencyRegressed', severity: 'warning' },
} as const;

type AlertSeries = Pick<WatchedSeries, 'kind' | 'model' | 'variant' | 'suite' | 'measurement' | 'device'>;

/** Who tells, and where people find more. */
export interface AlertSender {
  /** Host and port, as Prometheus would call it. */
  readonly instance: string;
  /** Of the page of the daemon. */
  readonly url: string;
}

/**
 * What a webhook is told of a series that regressed, or did: the names and labels of the alert rules, as far as they are known here.
 * @param reason with the figures, and what is known to differ
 */
export function regressionAlert(
  { kind, model, variant, suite, measurement, device }: AlertSeries,
  of: {
    readonly status: Alert['status'];
    readonly startsMs: number;
    readonly endsMs?: number;
    readonly reason: string;
  },
  { instance, url }: AlertSender,
): Alert {
  const { reason, ...rest } = of;
  const what = kind === 'accuracy' ? 'lost more accuracy than its budget allows' : 'got slower';
  const measured: Record<string, string> = kind === 'accuracy' ? {} : { suite, measurement, device };
  const { alertname } = NAMES[kind];
  return {
    ...rest,
    labels: { ...NAMES[kind], job: 'ptq-agent', instance, model, variant, ...measured },
    annotations: {
      summary: `${variant} of ${model} on ${instance} ${what}`,
      description: reason,
      runbook: `docs/runbooks/${alertname}.md`,
    },
    url: `${url}/#/models/${encodeURIComponent(model)}`,
  };
}
