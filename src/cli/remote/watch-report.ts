import type { Watch } from '../../client/client.ts';
import { formatSeconds } from '../../core/units.ts';
import { decimal, renderTable } from '../table.ts';

type Series = Watch['series'][number];
type Event = Watch['events'][number];

const HEADER = ['watched', 'variant', 'state', 'since', 'expected', 'limit', 'last', 'change'];
const MOST_EVENTS = 20;

/** States first, then what happened, the newest first. */
export function renderWatch({ series, events }: Watch): string {
  if (series.length === 0) return 'no run has told anything yet';
  const hosts = new Set(series.map(({ host }) => host));
  const shown = events.slice(0, MOST_EVENTS);
  return [
    renderTable(
      hosts.size > 1 ? ['host', ...HEADER] : HEADER,
      series.map((one) => toRow(one, hosts.size > 1)),
    ),
    ...(shown.length === 0 ? [] : ['', ...shown.flatMap(eventLines)]),
  ].join('\n');
}

function toRow(series: Series, hasHost: boolean): string[] {
  const { variant, since, host } = series;
  const row = [
    watchedOf(series),
    variant,
    stateOf(series),
    since.slice(0, 16).replace('T', ' '),
    ...figures(series),
  ];
  return hasHost ? [host, ...row] : row;
}

/** How far learning has come, too. */
function stateOf({ state, latency }: Series): string {
  return state === 'learning' && latency !== undefined
    ? `learning, ${latency.baselineRuns} valid runs`
    : state;
}

function figures({ latency, accuracy }: Series): string[] {
  if (latency !== undefined) {
    const { expectedSeconds, limitSeconds, lastSeconds, changeRatio } = latency;
    return [
      ...[expectedSeconds, limitSeconds, lastSeconds].map((seconds) =>
        seconds === null ? '–' : formatSeconds(seconds),
      ),
      changeRatio === null ? '–' : signedPercent(changeRatio - 1),
    ];
  }
  const { baseline = null, last = null, lossToBaseline = null } = accuracy ?? {};
  const words = (figure: number | null) => (figure === null ? '–' : decimal(figure, 4));
  return [words(baseline), '–', words(last), lossToBaseline === null ? '–' : signed(-lossToBaseline, 4)];
}

function signedPercent(ratio: number): string {
  return `${signed(ratio * 100, 1)} %`;
}

function signed(value: number, digits: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
}

function watchedOf({ kind, suite, measurement }: Pick<Series, 'kind' | 'suite' | 'measurement'>): string {
  return kind === 'accuracy' ? 'accuracy' : `${suite}/${measurement}`;
}

function eventLines({ at, kind, of, from, to, reason, causes, run }: Event): readonly string[] {
  const what = `${watchedOf(of)} of ${of.variant}`;
  const words = {
    state: `${what} is ${to}${from === '' ? '' : `, was ${from}`}`,
    baseline: `a baseline of ${what} was pinned`,
    acknowledged: `${what} was acknowledged`,
    confirmation: `${what} is measured anew`,
    layers: `what moved in ${of.variant}`,
  }[kind];
  return [
    `${at.slice(0, 19).replace('T', ' ')}  ${words}${run === undefined ? '' : `, run ${run}`}`,
    `  ${reason}`,
    ...causes.map((cause) => `  what differs: ${cause.words}`),
  ];
}
