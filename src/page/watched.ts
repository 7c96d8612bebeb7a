import { get, post } from './api.ts';
import { type Child, fill, h, table } from './dom.ts';
import type { Watch, WatchEvent, WatchedSeries } from './resources.ts';
import { seconds, stateWords, time } from './words.ts';

const SHOWN_EVENTS = 10;

/** What the runs of a model say from one to the next, and what people can say to it. */
export async function watched(model: string): Promise<HTMLElement | undefined> {
  const path = `/models/${encodeURIComponent(model)}`;
  const section = h('section', { 'aria-labelledby': 'watched' });
  const show = ({ series, events }: Watch): void => {
    const change = (what: 'acknowledge' | 'baseline', of: WatchedSeries) => async () => {
      const reason = prompt(QUESTIONS[what])?.trim();
      if (!reason) return;
      const { kind, variant, suite, measurement } = of;
      const choice = kind === 'accuracy' ? { kind, variant } : { kind, variant, suite, measurement };
      await post<Watch>(`${path}/${what}`, { ...choice, reason }).then(show, (error: Error) =>
        alert(error.message),
      );
    };
    fill(
      section,
      h('h2', { id: 'watched' }, 'Watched from run to run'),
      table(
        'What is expected, and what the last run found',
        ['figure', 'variant', 'state', 'since', 'expected', 'last', 'change', ''],
        series.map((of) => row(of, change)),
      ),
      events.length > 0 &&
        h(
          'details',
          { open: series.some(({ state }) => isTrouble(state)) },
          h('summary', {}, 'What happened'),
          h('ul', { class: 'events' }, events.slice(0, SHOWN_EVENTS).map(event)),
        ),
    );
  };
  const found = await get<Watch>(`${path}/watch`);
  if (found.series.length === 0) return undefined;
  show(found);
  return section;
}

const QUESTIONS = {
  acknowledge: 'Why is this known? It does not alarm any more until it gets worse.',
  baseline: 'Why is this the new baseline? Later runs are held to what was found last.',
} as const;

function isTrouble(state: string): boolean {
  return state === 'regressed' || state === 'suspected';
}

function row(
  of: WatchedSeries,
  change: (what: 'acknowledge' | 'baseline', of: WatchedSeries) => () => Promise<void>,
): readonly Child[] {
  const [words, colour] = stateWords(of.state);
  const name = `${figureOf(of)} of ${of.variant}`;
  const button = (what: 'acknowledge' | 'baseline', text: string) =>
    h('button', { type: 'button', 'aria-label': `${text}: ${name}`, onclick: change(what, of) }, text);
  return [
    figureOf(of),
    of.variant,
    h('span', { class: `tag ${colour}` }, words),
    time(of.since),
    ...figures(of),
    h(
      'span',
      { class: 'actions' },
      of.state === 'regressed' && button('acknowledge', 'Acknowledge'),
      of.state !== 'learning' && button('baseline', 'New baseline'),
    ),
  ];
}

function figureOf({
  kind,
  suite,
  measurement,
}: Pick<WatchedSeries, 'kind' | 'suite' | 'measurement'>): string {
  return kind === 'accuracy' ? 'accuracy' : `latency, ${suite}/${measurement}`;
}

function figures({ latency, accuracy }: WatchedSeries): readonly Child[] {
  if (latency !== undefined) {
    const { expectedSeconds, limitSeconds, lastSeconds, changeRatio, baselineRuns } = latency;
    const expected =
      expectedSeconds === null
        ? `after 10 valid runs; ${baselineRuns} so far`
        : `${seconds(expectedSeconds)}, at most ${seconds(limitSeconds)}`;
    return [
      expected,
      seconds(lastSeconds),
      changeRatio === null ? '–' : signed((changeRatio - 1) * 100, 1, ' %'),
    ];
  }
  const { baseline = null, last = null, lossToBaseline = null } = accuracy ?? {};
  return [figure(baseline), figure(last), lossToBaseline === null ? '–' : signed(-lossToBaseline, 4, '')];
}

function figure(value: number | null): string {
  return value === null ? '–' : String(Number(value.toPrecision(4)));
}

function signed(value: number, digits: number, unit: string): string {
  const sign = value < 0 ? '−' : '+';
  return `${sign}${Math.abs(value).toFixed(digits)}${unit}`;
}

function event({ at, kind, of, from, to, reason, causes, run }: WatchEvent): HTMLElement {
  const what = `${figureOf(of)} of ${of.variant}`;
  const words =
    kind === 'state'
      ? `${what}: ${from === '' ? '' : `${stateWords(from)[0]} → `}${stateWords(to)[0]}`
      : `${what}: ${{ baseline: 'a baseline was pinned', acknowledged: 'acknowledged', confirmation: 'measured anew', layers: 'what moved in the model' }[kind]}`;
  return h(
    'li',
    {},
    h('strong', {}, words),
    h('span', { class: 'muted' }, ` ${time(at)} `),
    run !== undefined && h('a', { href: `#/runs/${run}` }, 'run'),
    h('div', {}, reason),
    causes.map((cause) => h('div', {}, `What differs: ${cause.words}`)),
  );
}
