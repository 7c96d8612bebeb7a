import type { LintedPanel } from '../support/lint-dashboard.ts';
import { formatValue } from './format-value.ts';

/** What of a panel's options is drawn. */
export interface Field {
  readonly unit?: string;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  readonly mappings?: readonly {
    readonly options: Readonly<Record<string, { readonly text?: string; readonly color?: string }>>;
  }[];
  readonly thresholds?: {
    readonly steps: readonly { readonly value: number | null; readonly color: string }[];
  };
  readonly custom?: { readonly stacking?: { readonly mode?: string }; readonly showPoints?: string };
}

interface Override {
  readonly matcher: { readonly options: string };
  readonly properties: readonly { readonly id: string; readonly value: unknown }[];
}

export const PALETTE = [
  '#73bf69',
  '#f2cc0c',
  '#5794f2',
  '#ff9830',
  '#ff7383',
  '#b877d9',
  '#8ab8ff',
  '#96d98d',
  '#ffb357',
  '#ca95e5',
];
const COLORS: Readonly<Record<string, string>> = {
  green: '#73bf69',
  red: '#f2495c',
  yellow: '#fade2a',
  orange: '#ff9830',
  blue: '#5794f2',
  purple: '#b877d9',
  gray: '#808080',
  text: '#ccccdc',
};

export const colorOf = (name: string | undefined): string => COLORS[name ?? ''] ?? name ?? '#ccccdc';

/** A value in words and its colour, by what is mapped and by thresholds. */
export function shown(
  value: number,
  field: Field,
): { readonly text: string; readonly color: string | undefined } {
  for (const { options } of field.mappings ?? []) {
    const mapped = options[String(value)];
    if (mapped !== undefined)
      return { text: mapped.text ?? '', color: mapped.color ?? thresholdColor(value, field) };
  }
  return { text: formatValue(value, field.unit, field.decimals), color: thresholdColor(value, field) };
}

function thresholdColor(value: number, { thresholds }: Field): string | undefined {
  return thresholds?.steps.findLast((step) => step.value === null || value >= step.value)?.color;
}

/** What holds for a column of a table besides what holds for all. */
export function overridesOf(panel: LintedPanel, name: string): Field & { readonly cell?: unknown } {
  const { overrides = [] } = (panel.fieldConfig ?? {}) as unknown as {
    readonly overrides?: readonly Override[];
  };
  const own = overrides
    .filter(({ matcher }) => matcher.options === name)
    .flatMap(({ properties }) => properties);
  return Object.fromEntries(own.map(({ id, value }) => [id === 'custom.cellOptions' ? 'cell' : id, value]));
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
