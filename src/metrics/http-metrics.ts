import { Counter } from 'prom-client';
import { gaugeFamily, type MetricRegistry } from './families.ts';

/**
 * Why the daemon ended a connection: `request_timeout` the request did not come to its end in time, `malformed_request`,
 * `headers_too_large`, `too_many_connections` (it was never accepted), `slow_reader` nobody took the answer, `slow_follower` a stream of
 * events had too much waiting.
 */
const DROP_REASONS = [
  'request_timeout',
  'malformed_request',
  'headers_too_large',
  'too_many_connections',
  'slow_reader',
  'slow_follower',
] as const;

export type DropReason = (typeof DROP_REASONS)[number];

export interface HttpMetrics {
  setConnections(count: number): void;
  countDropped(reason: DropReason): void;
}

/** Registers the metrics of the daemon's own HTTP server. */
export function createHttpMetrics(registry: MetricRegistry): HttpMetrics {
  const connections = gaugeFamily({
    registry,
    name: 'ptq_http_connections',
    help: 'Connections that the HTTP server of the daemon has open.',
    labelNames: [],
  });
  const dropped = new Counter({
    registers: [registry],
    name: 'ptq_http_dropped_connections_total',
    help: `Connections that the daemon ended or refused, by reason: ${DROP_REASONS.join(', ')}.`,
    labelNames: ['reason'],
  });
  for (const reason of DROP_REASONS) dropped.inc({ reason }, 0);
  return {
    setConnections: (count) => connections.set({}, count),
    countDropped: (reason) => dropped.inc({ reason }),
  };
}
