import type { Threshold, ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import { MappingType } from '@grafana/grafana-foundation-sdk/dashboard';
import { ofModel } from './selector.ts';

/** Worse verdicts have larger numbers, so that a maximum over hosts or models is the worst of them. */
const VERDICTS = [
  { verdict: 'non_inferior', text: 'non-inferior', color: 'green' },
  { verdict: 'degraded_within_budget', text: 'degraded, within budget', color: 'yellow' },
  { verdict: 'inconclusive', text: 'inconclusive', color: 'blue' },
  { verdict: 'invalid', text: 'invalid', color: 'purple' },
  { verdict: 'regressed', text: 'regressed', color: 'red' },
] as const;

/** The number of the verdict in force, summed up by labels. */
export function verdictNumber(by: string): string {
  const numbers = VERDICTS.map(
    ({ verdict }, number) => `${ofModel('ptq_accuracy_verdict', `verdict="${verdict}"`)} * ${number}`,
  );
  return `sum by (${by}) (\n  ${numbers.join('\n  or ')}\n)`;
}

export const VERDICT_MAPPINGS: readonly ValueMapping[] = [
  {
    type: MappingType.ValueToText,
    options: Object.fromEntries(
      VERDICTS.map(({ text, color }, number) => [String(number), { text, color, index: number }]),
    ),
  },
];

export const VERDICT_THRESHOLDS: readonly Threshold[] = VERDICTS.map(({ color }, number) => ({
  value: number === 0 ? null : number,
  color,
}));
