import { type Figure, LiveFigures } from '../telemetry/live-figures.ts';
import type { Snapshot } from '../telemetry/snapshot.ts';
import { followLines } from './api.ts';
import { fill, h } from './dom.ts';
import { type Plot, plot } from './plot.ts';
import { quantity } from './words.ts';

interface Shown {
  readonly element: HTMLElement;
  readonly place: number;
  readonly now: HTMLElement;
  readonly plot: Plot;
  readonly times: number[];
  readonly values: number[];
}

/** Three minutes at the pace of a host at rest, and half of one during a run. */
const KEPT_POINTS = 400;
const RETRY_MS = 5000;

/** The host as it is now, a picture a figure, in the order in which figures have their places. */
export function showLive(element: HTMLElement, signal: AbortSignal): void {
  const figures = new LiveFigures();
  const shown = new Map<string, Shown>();
  const add = (figure: Figure, atSeconds: number) => {
    let one = shown.get(figure.label);
    if (one === undefined) {
      one = makeFigure(figure);
      // Sources tell at different times, and each figure has its place.
      const { place, element: made } = one;
      const next = [...shown.values()]
        .filter((other) => other.place > place)
        .sort((x, y) => x.place - y.place)[0];
      element.insertBefore(made, next?.element ?? null);
      shown.set(figure.label, one);
    }
    one.now.textContent = quantity(figure.value, figure.unit);
    one.times.push(atSeconds);
    one.values.push(figure.value);
    if (one.times.length > KEPT_POINTS) {
      one.times.shift();
      one.values.shift();
    }
    one.plot.set([one.times, one.values]);
  };
  const onLine = (line: string) => {
    const { tickNs, ...rest } = JSON.parse(line) as Omit<Snapshot, 'tickNs'> & { readonly tickNs: string };
    for (const figure of figures.add({ ...rest, tickNs: BigInt(tickNs) } as Snapshot))
      add(figure, Date.now() / 1000);
  };
  const follow = async () => {
    while (!signal.aborted) {
      try {
        await followLines('/telemetry', signal, onLine);
      } catch (error) {
        if (signal.aborted) return;
        if (shown.size === 0) fill(element, h('p', { class: 'muted' }, (error as Error).message));
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  };
  signal.addEventListener('abort', () => {
    for (const one of shown.values()) one.plot.close();
  });
  void follow();
}

function makeFigure({ label, unit, most, place }: Figure): Shown {
  const drawn = plot({
    label,
    unit,
    height: 120,
    lines: [label],
    isClock: true,
    ...(most === undefined ? {} : { most }),
  });
  const now = h('strong', {});
  const element = h('figure', {}, h('figcaption', {}, `${label} `, now), drawn.element);
  return { element, place, now, plot: drawn, times: [], values: [] };
}
