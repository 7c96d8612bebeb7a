import { MultiBar, type SingleBar } from 'cli-progress';
import { barKeyOf, type ProgressView, rateText, titleOf } from './progress-view.ts';
import type { Terminal } from './terminal.ts';

const TITLE_WIDTH = 26;

/** A bar for each thing that is worked on, with its rate and the time left. */
export function barView({ stderr }: Terminal): ProgressView {
  const bars = new MultiBar({
    format: '{title} {bar} {value}/{total} {unit} {rate}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    stream: stderr,
    emptyOnZero: true,
    fps: 10,
  });
  const open = new Map<string, { readonly bar: SingleBar; readonly startMs: number }>();
  return {
    update: (progress) => {
      const { done, total = done, unit } = progress;
      const key = barKeyOf(progress);
      const payload = { title: titleOf(progress).padEnd(TITLE_WIDTH), unit, rate: '' };
      const known = open.get(key) ?? { bar: bars.create(total, 0, payload), startMs: performance.now() };
      open.set(key, known);
      const seconds = (performance.now() - known.startMs) / 1000;
      known.bar.update(done, { ...payload, rate: rateText(done, total, seconds) });
    },
    stop: () => {
      for (const { bar } of open.values()) bar.render();
      bars.stop();
    },
  };
}
