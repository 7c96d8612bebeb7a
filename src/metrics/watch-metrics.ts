import { absoluteCounterFamily, gaugeFamily, type MakeGauge, type MetricRegistry } from './families.ts';

export const WATCH_STATES = [
  'learning',
  'steady',
  'suspected',
  'regressed',
  'improved',
  'acknowledged',
] as const;

export type WatchState = (typeof WATCH_STATES)[number];

/** What the runs so far say of the latency of a measurement. Names are those of the profile. */
export interface LatencyWatchObservation {
  readonly model: string;
  readonly variant: string;
  readonly provider: string;
  readonly scenario: string;
  readonly suite: string;
  readonly measurement: string;
  readonly state: WatchState;
  /** These are absent before there are enough runs. */
  readonly expectedSeconds?: number;
  readonly limitSeconds?: number;
  readonly changeRatio?: number;
}

/** What the evaluations so far say of the accuracy of a variant. */
export interface AccuracyWatchObservation {
  readonly model: string;
  readonly variant: string;
  readonly state: WatchState;
  /** How much a metric that is a ratio is below that of the baseline. */
  readonly drop?: { readonly metric: string; readonly ratio: number };
}

export interface WatchMetrics {
  showLatencyWatch(observation: LatencyWatchObservation): void;
  showAccuracyWatch(observation: AccuracyWatchObservation): void;
  /** Counts what a webhook was told, or could not be told. */
  countNotification(outcome: NotificationOutcome): void;
}

const NOTIFICATION_OUTCOMES = ['sent', 'failed', 'refused'] as const;

type NotificationOutcome = (typeof NOTIFICATION_OUTCOMES)[number];

const VARIANT_LABELS = ['model', 'variant'] as const;
const BENCH_LABELS = [...VARIANT_LABELS, 'provider', 'scenario', 'suite', 'measurement'] as const;
const STATES = WATCH_STATES.join(', ');

/** Registers what is known from run to run. */
export function createWatchMetrics(registry: MetricRegistry): WatchMetrics {
  const gauge: MakeGauge = (name, help, labelNames) => gaugeFamily({ registry, name, help, labelNames });
  const latencyState = gauge(
    'ptq_latency_state',
    `1 for what the runs of this host say of the median latency, 0 for the others: ${STATES}.`,
    [...BENCH_LABELS, 'state'],
  );
  const expected = gauge(
    'ptq_latency_expected_seconds',
    'The median latency that is expected from the runs of the baseline.',
    BENCH_LABELS,
  );
  const limit = gauge(
    'ptq_latency_limit_seconds',
    'The median latency from which on a run is suspected.',
    BENCH_LABELS,
  );
  const change = gauge(
    'ptq_latency_change_ratio',
    'The median latency of the last valid run relative to what was expected; above 1 is slower.',
    BENCH_LABELS,
  );
  const accuracyState = gauge(
    'ptq_accuracy_state',
    `1 for what the evaluations say of the accuracy, against fp32 and against the pinned baseline, 0 for the others: ${STATES}.`,
    [...VARIANT_LABELS, 'state'],
  );
  const drop = gauge(
    'ptq_accuracy_pinned_drop_ratio',
    'How much the metric is below that of the pinned baseline on the same samples, where it is a ratio.',
    [...VARIANT_LABELS, 'metric'],
  );
  const notifications = absoluteCounterFamily({
    registry,
    name: 'ptq_webhook_notifications_total',
    help: 'Messages to the webhook since the daemon started: sent, failed (to be sent again) or refused for good.',
    labelNames: ['outcome'],
  });
  for (const outcome of NOTIFICATION_OUTCOMES) notifications.add({ outcome }, 0);
  return {
    countNotification: (outcome) => notifications.add({ outcome }, 1),
    showLatencyWatch: ({ state, expectedSeconds, limitSeconds, changeRatio, ...labels }) => {
      for (const known of WATCH_STATES)
        latencyState.set({ ...labels, state: known }, Number(known === state));
      expected.set(labels, expectedSeconds);
      limit.set(labels, limitSeconds);
      change.set(labels, changeRatio);
    },
    showAccuracyWatch: ({ model, variant, state, drop: fell }) => {
      for (const known of WATCH_STATES)
        accuracyState.set({ model, variant, state: known }, Number(known === state));
      // A profile may be judged by another metric than before.
      drop.removeWhere((of) => of['model'] === model && of['variant'] === variant);
      if (fell !== undefined) drop.set({ model, variant, metric: fell.metric }, fell.ratio);
    },
  };
}
