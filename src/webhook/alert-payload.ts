import { digestText } from '../core/digest.ts';

/** Something that is wrong, or is so no longer. Its labels tell it from others. */
export interface Alert {
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Milliseconds since the Unix epoch, as the next. */
  readonly startsMs: number;
  /** Of one that is over. */
  readonly endsMs?: number;
  /** Where a person finds more. */
  readonly url: string;
}

/**
 * The body that Alertmanager sends to a webhook, version 4, for alerts of one group.
 * Source: Prometheus' documentation of Alertmanager, "Configuration", `<webhook_config>`.
 * @param groupLabels those that all alerts of a group have in common and others have not
 */
export function webhookBody(
  alerts: readonly Alert[],
  groupLabels: Readonly<Record<string, string>>,
  externalUrl: string,
): object {
  const pairs = Object.entries(groupLabels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return {
    version: '4',
    groupKey: `{}:{${pairs.join(', ')}}`,
    truncatedAlerts: 0,
    status: alerts.some(({ status }) => status === 'firing') ? 'firing' : 'resolved',
    receiver: 'ptq-agent',
    groupLabels,
    commonLabels: commonOf(alerts.map(({ labels }) => labels)),
    commonAnnotations: commonOf(alerts.map(({ annotations }) => annotations)),
    externalURL: externalUrl,
    alerts: alerts.map(({ status, labels, annotations, startsMs, endsMs, url }) => ({
      status,
      labels,
      annotations,
      startsAt: new Date(startsMs).toISOString(),
      // What fires has Go's zero time for its end.
      endsAt: endsMs === undefined ? '0001-01-01T00:00:00Z' : new Date(endsMs).toISOString(),
      generatorURL: url,
      fingerprint: fingerprintOf(labels),
    })),
  };
}

/** Equal for equal labels, in whatever order: sixteen hexadecimal digits, as Alertmanager's, though not the same ones. */
export function fingerprintOf(labels: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1));
  return digestText(JSON.stringify(sorted)).slice(0, 16);
}

function commonOf(records: readonly Readonly<Record<string, string>>[]): Readonly<Record<string, string>> {
  const [first = {}, ...others] = records;
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => others.every((other) => other[name] === value)),
  );
}
