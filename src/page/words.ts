import { formatBytes, formatSeconds } from '../core/units.ts';
import type { Progress, SpeedUp, Variant } from './resources.ts';

/** What a verdict is for people, and how it is coloured. */
const VERDICTS: Readonly<Record<string, readonly [string, 'good' | 'fair' | 'bad' | 'open']>> = {
  non_inferior: ['as accurate', 'good'],
  degraded_within_budget: ['within the budget', 'fair'],
  regressed: ['regressed', 'bad'],
  inconclusive: ['too few samples', 'open'],
  invalid: ['invalid', 'bad'],
};

export function verdictWords(verdict: string): readonly [string, string] {
  return VERDICTS[verdict] ?? [verdict, 'open'];
}

const KINDS: Readonly<Record<string, string>> = {
  pipeline: 'full run',
  bench: 'benchmark',
  quantize: 'variants made',
  evaluate: 'evaluation',
  explain: 'nodes explained',
};

/** What kind of work a run is. */
export function kindWords(kind: string): string {
  return KINDS[kind] ?? kind;
}

const STATES: Readonly<Record<string, readonly [string, 'good' | 'fair' | 'bad' | 'open']>> = {
  learning: ['learning', 'open'],
  steady: ['steady', 'good'],
  suspected: ['suspected', 'fair'],
  regressed: ['regressed', 'bad'],
  improved: ['improved', 'good'],
  acknowledged: ['acknowledged', 'open'],
};

/** What is known of a figure from run to run. */
export function stateWords(state: string): readonly [string, string] {
  return STATES[state] ?? [state, 'open'];
}

const STANDINGS: Readonly<Record<string, readonly [string, 'good' | 'fair' | 'bad' | 'open']>> = {
  kept: ['kept', 'good'],
  undecided: ['kept?', 'good'],
  doubtful: ['missed?', 'fair'],
  missed: ['missed', 'bad'],
};

/** How surely a candidate of a search keeps the budget; with a question mark where too few samples were there to be sure. */
export function standingWords(standing: string | undefined): readonly [string, string] {
  if (standing === undefined) return ['not judged', 'open'];
  return STANDINGS[standing] ?? [standing, 'open'];
}

export function speedUpWords(speedUp: Omit<SpeedUp, 'outcome'> | undefined): string {
  if (speedUp === undefined) return '–';
  const { ratio, lower, upper, valid } = speedUp;
  if (ratio === null) return 'too few rounds';
  const interval = lower === null || upper === null ? '' : ` [${lower.toFixed(2)}, ${upper.toFixed(2)}]`;
  return `${ratio.toFixed(2)}×${interval}${valid ? '' : ' not valid'}`;
}

export function accuracyWords({ accuracy }: Variant): string {
  if (accuracy === undefined) return '–';
  const { figure, agreement } = accuracy;
  if (figure?.value != null) return `${figure.metric} ${number(figure.value)}`;
  return agreement === undefined ? '–' : `${number(agreement * 100)} % alike`;
}

export function seconds(value: number | null | undefined): string {
  return value == null ? '–' : formatSeconds(value);
}

export function bytes(value: number | null | undefined): string {
  return value == null ? '–' : formatBytes(value);
}

/** In the language of the browser, to the minute. */
export function time(iso: string | undefined): string {
  return iso === undefined
    ? '–'
    : new Date(iso).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

export function progressWords({ phase, subject, done, total, unit }: Progress): string {
  const of = total === undefined ? `${done}` : `${done} of ${total}`;
  return `${phase}${subject === undefined ? '' : ` ${subject}`}: ${of} ${unit}`;
}

/** A figure that is plotted, in its own unit. */
export function quantity(value: number, unit: string): string {
  switch (unit) {
    case 'ratio':
      return `${(value * 100).toFixed(0)} %`;
    case 'bytes':
      return formatBytes(Math.round(value));
    case 'bytesPerSecond':
      return `${formatBytes(Math.round(value))}/s`;
    case 'watts':
      return `${value.toFixed(1)} W`;
    case 'celsius':
      return `${value.toFixed(0)} °C`;
    case 'seconds':
      return formatSeconds(value);
    default:
      return number(value);
  }
}

function number(value: number): string {
  return Number(value.toPrecision(4)).toString();
}
