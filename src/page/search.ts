import { get } from './api.ts';
import { h, table } from './dom.ts';
import type { Search, Searched, Variant } from './resources.ts';
import { scatter } from './scatter.ts';
import { bytes, seconds, speedUpWords, standingWords } from './words.ts';

type Timed = Searched & Required<Pick<Searched, 'latency'>>;

/** What the search for the recipe of a variant chose between; undefined where its recipe was not searched. */
export async function searchSection({ variant, search }: Variant): Promise<HTMLElement | undefined> {
  if (search === undefined) return undefined;
  const { candidates, choice, samples } = await get<Search>(search);
  // By latency, so that numbers in the picture rise from left to right.
  const timed = candidates
    .filter(isTimed)
    .toSorted((a, b) => a.latency.medianSeconds - b.latency.medianSeconds);
  const title = `What the search for ${variant} chose between`;
  const id = `search-${variant}`;
  return h(
    'section',
    { 'aria-labelledby': id },
    h('h2', { id }, title),
    h('p', {}, 'It took ', h('strong', {}, choice.label), `: ${choice.reason}.`),
    h(
      'p',
      { class: 'muted' },
      `${candidates.length} candidates were made from ${samples.make} samples and chosen by ${samples.choose} others; ` +
        `the latency of ${timed.length} was measured. A question mark says that the samples are too few to be sure. `,
      h('a', { href: search }, 'All of it as JSON'),
    ),
    picture(timed),
    timed.length > 0 &&
      table(
        title,
        ['candidate', 'budget', 'judged by', 'SQNR, dB', 'latency', 'than float32', 'size'],
        timed.map(row),
      ),
  );
}

function isTimed(candidate: Searched): candidate is Timed {
  return candidate.latency !== undefined;
}

/** Numbers stand for the rows of the table, as names would lie over one another. */
function picture(timed: readonly Timed[]): HTMLElement | undefined {
  const points = timed.flatMap(({ accuracy, latency, sizeBytes, isOnFront }, at) => {
    // Where nothing differs there is no ratio to draw.
    if (accuracy?.sqnrDb == null) return [];
    const place = { label: String(at + 1), x: latency.medianSeconds, y: accuracy.sqnrDb };
    return [{ ...place, area: sizeBytes ?? 1, isFilled: isOnFront }];
  });
  if (points.length < 2) return undefined;
  return h(
    'figure',
    {},
    h('figcaption', {}, 'Numbers are those of the table; area is size, filled is on the Pareto front'),
    scatter(points, { x: 'median latency', y: 'SQNR, dB', format: seconds }),
  );
}

function row({ label, accuracy, latency, sizeBytes, isChosen }: Timed, at: number) {
  const [words, colour] = standingWords(accuracy?.standing);
  const { medianSeconds, invalidReasons } = latency;
  const speedUp = latency.speedUp ? { ...latency.speedUp, valid: invalidReasons.length === 0 } : undefined;
  return [
    [`${at + 1}  ${label}`, isChosen && h('span', { class: 'tag good after' }, 'chosen')],
    h('span', { class: `tag ${colour}`, title: accuracy?.reason }, words),
    accuracy?.value == null ? '–' : `${accuracy.metric} ${accuracy.value.toFixed(4)}`,
    accuracy === undefined ? '–' : accuracy.sqnrDb === null ? 'the same' : accuracy.sqnrDb.toFixed(1),
    seconds(medianSeconds),
    h('span', { title: invalidReasons.join('\n') }, speedUpWords(speedUp)),
    bytes(sizeBytes),
  ];
}
