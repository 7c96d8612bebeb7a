import type { Threshold, ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import { MappingType } from '@grafana/grafana-foundation-sdk/dashboard';
import { ofModel } from './selector.ts';

/** Worse states have larger numbers, so that a maximum over hosts or measurements is the worst of them. */
const STATES = [
  { state: 'steady', color: 'green' },
  { state: 'improved', color: 'semi-dark-green' },
  { state: 'learning', color: 'blue' },
  { state: 'acknowledged', color: 'purple' },
  { state: 'suspected', color: 'yellow' },
  { state: 'regressed', color: 'red' },
] as const;

/** The number of the state in force, the worst by these labels. */
export function stateNumber(metric: 'ptq_accuracy_state' | 'ptq_latency_state', by: string): string {
  const numbers = STATES.map(
    ({ state }, number) => `(${ofModel(metric, `state="${state}"`)} == 1) * ${number}`,
  );
  return `max by (${by}) (\n  ${numbers.join('\n  or ')}\n)`;
}

export const STATE_MAPPINGS: readonly ValueMapping[] = [
  {
    type: MappingType.ValueToText,
    options: Object.fromEntries(
      STATES.map(({ state, color }, number) => [String(number), { text: state, color, index: number }]),
    ),
  },
];

export const STATE_THRESHOLDS: readonly Threshold[] = STATES.map(({ color }, number) => ({
  value: number === 0 ? null : number,
  color,
}));
