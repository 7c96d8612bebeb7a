import { get } from './api.ts';
import { fill, h } from './dom.ts';
import { variantTable } from './overview.ts';
import { type Plot, plot } from './plot.ts';
import type { HistoryPoint, Model, Variant } from './resources.ts';
import { scatter } from './scatter.ts';
import { searchSection } from './search.ts';
import { sensitivitySection } from './sensitivity.ts';
import { watched } from './watched.ts';
import { seconds, time, verdictWords } from './words.ts';

/** A model: its variants, what there is to choose between, and how they fared from run to run. */
export async function showModel(main: HTMLElement, name: string, signal: AbortSignal): Promise<void> {
  const path = `/models/${encodeURIComponent(name)}`;
  const [model, { points }, fromRunToRun] = await Promise.all([
    get<Model>(path),
    get<{ points: readonly HistoryPoint[] }>(`${path}/history`),
    watched(name),
  ]);
  const { recommended, variants, run } = model;
  fill(
    main,
    h('h2', {}, name, h('span', { class: 'muted' }, ` ${model.task}`)),
    run === undefined
      ? h('p', { class: 'muted' }, 'No full run has ended yet.')
      : h(
          'p',
          {},
          'Last full run: ',
          h('a', { href: run.href.replace('/bench/', '#/runs/') }, time(run.finishedAt)),
        ),
    variantTable(name, variants, recommended?.variant),
    recommended !== undefined &&
      h('p', {}, 'Use ', h('strong', {}, recommended.variant), `: ${recommended.reason}.`),
    variants.map(verdictLine),
    fromRunToRun,
    choices(variants),
  );
  await showMore(main, name, variants, signal);
  if (signal.aborted) return;
  if (points.length === 0) return;
  const history = h(
    'section',
    { 'aria-labelledby': 'history' },
    h('h2', { id: 'history' }, 'From run to run'),
  );
  const plots: Plot[] = [];
  const add = (label: string, unit: string, figure: (point: HistoryPoint) => number | null | undefined) => {
    const known = points.filter((point) => figure(point) != null);
    // A single run has no history.
    if (new Set(known.map(({ run }) => run)).size < 2) return;
    const names = [...new Set(known.map(({ variant }) => variant))];
    const times = [...new Set(known.map(({ finishedAt }) => Date.parse(finishedAt) / 1000))].sort(
      (a, b) => a - b,
    );
    const one = plot({
      label,
      unit,
      height: 190,
      lines: names,
      isClock: true,
      isPoints: true,
      isTight: unit === 'number',
    });
    const valueAt = (variant: string, at: number) =>
      figure(
        known.find((point) => point.variant === variant && Date.parse(point.finishedAt) / 1000 === at) ??
          ({} as HistoryPoint),
      ) ?? null;
    one.set([times, ...names.map((variant) => times.map((at) => valueAt(variant, at)))]);
    plots.push(one);
    history.append(h('figure', {}, h('figcaption', {}, label), one.element));
  };
  add('Median latency, valid measurements', 'seconds', ({ p50Seconds, valid }) =>
    valid ? p50Seconds : null,
  );
  add('Accuracy', 'number', ({ accuracy }) => accuracy);
  if (plots.length > 0) main.append(history);
  signal.addEventListener('abort', () => {
    for (const one of plots) one.close();
  });
}

/** One after another, in the order of the variants. What cannot be read is left out: all else is there. */
async function showMore(
  main: HTMLElement,
  model: string,
  variants: readonly Variant[],
  signal: AbortSignal,
): Promise<void> {
  for (const variant of variants) {
    for (const sectionOf of [searchSection, sensitivitySection]) {
      const section = await sectionOf(variant, model).catch(() => undefined);
      // Another view may have taken the place of this one meanwhile.
      if (signal.aborted) return;
      if (section !== undefined) main.append(section);
    }
  }
}

function verdictLine({ variant, accuracy }: Variant): HTMLElement | undefined {
  if (accuracy === undefined) return undefined;
  const [words, colour] = verdictWords(accuracy.verdict);
  return h('p', {}, h('span', { class: `tag ${colour}` }, words), ` ${variant}: ${accuracy.verdictReason}`);
}

/** Latency against accuracy, size as the area of a point; what is on the front is filled. */
function choices(variants: readonly Variant[]): HTMLElement | undefined {
  const reference = variants.flatMap(({ accuracy }) => accuracy?.figure?.reference ?? [])[0];
  const points = variants.flatMap((variant) => {
    const x = variant.bench[0]?.p50Seconds;
    const y = variant.accuracy === undefined ? reference : variant.accuracy.figure?.value;
    if (x == null || y == null) return [];
    return [
      { label: variant.variant, x, y, area: variant.sizeBytes ?? 1, isFilled: variant.onFront === true },
    ];
  });
  if (points.length < 2) return undefined;
  const metric = variants.flatMap(({ accuracy }) => accuracy?.figure?.metric ?? [])[0] ?? 'accuracy';
  return h(
    'figure',
    {},
    h('figcaption', {}, 'What there is to choose between: area is size, filled is on the Pareto front'),
    scatter(points, { x: 'median latency', y: metric, format: seconds }),
  );
}
