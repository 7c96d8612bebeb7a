import { get, post } from './api.ts';
import { type Child, fill, h, table } from './dom.ts';
import { showLive } from './live-plots.ts';
import type { Model, Run, Variant } from './resources.ts';
import { runCard } from './run-card.ts';
import { accuracyWords, bytes, kindWords, seconds, speedUpWords, time, verdictWords } from './words.ts';

const REFRESH_MS = 5000;

/** One glance at the host: what runs, what is registered and what is known of it, and what the machine does. */
export async function showOverview(main: HTMLElement, signal: AbortSignal): Promise<void> {
  const now = h('section', { 'aria-labelledby': 'now' });
  const models = h('section', { 'aria-labelledby': 'models' });
  const runs = h('section', { 'aria-labelledby': 'runs' });
  const live = h('div', { class: 'plots' });
  fill(
    main,
    now,
    models,
    h('section', { 'aria-labelledby': 'live' }, h('h2', { id: 'live' }, 'This host'), live),
    runs,
  );
  let cards = new AbortController();
  let known = '';
  const draw = async () => {
    const [listed, recent] = await Promise.all([
      get<{ models: readonly Model[] }>('/models'),
      get<{ runs: readonly Run[] }>('/bench?limit=20'),
    ]);
    const open = recent.runs.filter(({ state }) => state === 'running' || state === 'queued').reverse();
    const text = JSON.stringify([listed, recent.runs.map(({ id, state }) => [id, state])]);
    // What has not changed keeps its place, and the focus that somebody may have on it.
    if (text === known) return;
    known = text;
    cards.abort();
    cards = new AbortController();
    const of = AbortSignal.any([signal, cards.signal]);
    const again = () => void draw().catch(() => {});
    fill(
      now,
      h('h2', { id: 'now' }, 'Now'),
      open.length === 0
        ? h('p', { class: 'muted' }, 'Nothing runs.')
        : open.map((run) => runCard(run, of, again)),
    );
    fill(
      models,
      h('h2', { id: 'models' }, 'Models'),
      ...listed.models.map((model) => modelCard(model, again)),
    );
    if (listed.models.length === 0)
      models.append(h('p', { class: 'muted' }, 'No model is registered: the log says why.'));
    fill(runs, h('h2', { id: 'runs' }, 'Last runs'), runsTable(recent.runs));
  };
  await draw();
  showLive(live, signal);
  const timer = setInterval(() => void draw().catch(() => {}), REFRESH_MS);
  signal.addEventListener('abort', () => {
    clearInterval(timer);
    cards.abort();
  });
}

function modelCard(model: Model, again: () => void): HTMLElement {
  const { name, task, recommended, variants } = model;
  const bench = () => {
    post('/bench', { model: name }).then(again, (error: Error) => alert(error.message));
  };
  return h(
    'div',
    { class: 'card' },
    h(
      'div',
      { class: 'row' },
      h('h3', {}, h('a', { href: `#/models/${name}` }, name), h('span', { class: 'muted' }, ` ${task}`)),
      h('button', { type: 'button', onclick: bench }, 'Benchmark'),
    ),
    variantTable(name, variants, recommended?.variant),
    recommended !== undefined &&
      h('p', {}, 'Use ', h('strong', {}, recommended.variant), `: ${recommended.reason}.`),
  );
}

/** Every variant with what matters of it. */
export function variantTable(
  name: string,
  variants: readonly Variant[],
  recommended: string | undefined,
): HTMLElement {
  return table(
    `Variants of ${name}`,
    ['variant', 'verdict', 'accuracy', 'p50', 'speed-up', 'size', 'file'],
    variants.map((variant) => [
      [
        variant.variant,
        variant.variant === recommended && h('span', { class: 'tag good after' }, 'recommended'),
      ],
      verdictTag(variant),
      accuracyWords(variant),
      [
        seconds(variant.bench[0]?.p50Seconds),
        variant.bench[0]?.valid === false && h('span', { class: 'tag bad after' }, 'not valid'),
      ],
      speedUpWords(variant.speedUps[0]),
      bytes(variant.sizeBytes),
      variant.file === undefined ? '–' : h('a', { href: variant.file, download: true }, 'download'),
    ]),
  );
}

function verdictTag({ accuracy }: Variant): Child {
  if (accuracy === undefined) return '–';
  const [words, colour] = verdictWords(accuracy.verdict);
  return h('span', { class: `tag ${colour}`, title: accuracy.verdictReason }, words);
}

function runsTable(runs: readonly Run[]): HTMLElement {
  const rows = runs.map(({ id, model, kind, state, request, createdAt, problem }) => [
    h('a', { href: `#/runs/${id}` }, time(createdAt)),
    model,
    kind === 'pipeline' ? `${kindWords(kind)}${reasonsOf(request)}` : kindWords(kind),
    h('span', { class: `tag ${STATE_COLOURS[state] ?? 'open'}`, title: problem?.message }, state),
  ]);
  return table('Last runs', ['ordered', 'model', 'what', 'state'], rows);
}

const STATE_COLOURS: Readonly<Record<string, string>> = {
  succeeded: 'good',
  failed: 'bad',
  interrupted: 'fair',
  cancelled: 'fair',
};

function reasonsOf(request: Run['request']): string {
  return request?.reasons === undefined ? '' : ` (${request.reasons.join(', ')})`;
}
