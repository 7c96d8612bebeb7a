import type { Threshold, ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import { MappingType } from '@grafana/grafana-foundation-sdk/dashboard';

/** What 0 and 1 mean, in words. */
export function words(no: string, yes: string): readonly ValueMapping[] {
  return [
    {
      type: MappingType.ValueToText,
      options: { '0': { text: no, index: 0 }, '1': { text: yes, index: 1 } },
    },
  ];
}

/** Whether a measurement kept its rules: 1 or 0. */
export const VALID_MAPPINGS = words('not valid', 'valid');

export const VALID_THRESHOLDS: readonly Threshold[] = [
  { value: null, color: 'red' },
  { value: 1, color: 'green' },
];
