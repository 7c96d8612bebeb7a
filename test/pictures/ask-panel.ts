import type { LintedPanel } from '../support/lint-dashboard.ts';
import { chosen } from '../support/queries.ts';

export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Which query of the panel, from 0. */
  readonly query: number;
  /** Times in seconds and values; one for a query of the moment. */
  readonly points: readonly (readonly [number, number])[];
}

export interface TimeRange {
  readonly from: number;
  readonly to: number;
  /** What is chosen of variables, as an expression of Prometheus; everything of the others. */
  readonly chosenValues?: Readonly<Record<string, string>>;
}

interface Target {
  readonly expr?: string;
  readonly legendFormat?: string;
  readonly instant?: boolean;
}

interface Answer {
  readonly data?: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value?: readonly [number, string];
      readonly values?: readonly (readonly [number, string])[];
    }[];
  };
  readonly error?: string;
}

const STEPS = 240;

/** What the queries of a panel find, everything chosen. */
export async function askPanel(
  url: string,
  { targets = [] }: LintedPanel,
  { from, to, chosenValues = {} }: TimeRange,
): Promise<readonly Series[]> {
  const found: Series[] = [];
  for (const [query, target] of (targets as readonly Target[]).entries()) {
    const expr = encodeURIComponent(
      chosen(withChoices(target.expr ?? '', chosenValues)).replaceAll(
        '$__range',
        `${Math.round(to - from)}s`,
      ),
    );
    const step = Math.max(1, Math.round((to - from) / STEPS));
    const path = target.instant
      ? `query?query=${expr}&time=${to}`
      : `query_range?query=${expr}&start=${from}&end=${to}&step=${step}`;
    const answer = (await (await fetch(`${url}/api/v1/${path}`)).json()) as Answer;
    if (answer.data === undefined) throw new Error(`${target.expr}: ${answer.error}`);
    for (const { metric, value, values = value === undefined ? [] : [value] } of answer.data.result) {
      const points = values.map(([at, text]) => [at, Number(text)] as const);
      found.push({ name: nameOf(metric, target), labels: metric, query, points });
    }
  }
  return found;
}

function withChoices(expr: string, choices: Readonly<Record<string, string>>): string {
  return Object.entries(choices).reduce((text, [name, value]) => text.replaceAll(`$${name}`, value), expr);
}

function nameOf(labels: Readonly<Record<string, string>>, { legendFormat, expr = '' }: Target): string {
  if (legendFormat !== undefined && legendFormat !== '')
    return legendFormat.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_, label: string) => labels[label] ?? '');
  const words = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return words.length === 0 ? expr : `{${words.join(', ')}}`;
}
