import { MultiBar, type SingleBar } from 'cli-progress';
import { formatSeconds } from '../core/units.ts';
import type { JobProgress } from '../jobs/worker-protocol.ts';
import type { Terminal } from './terminal.ts';

/** Shows how far long work has come. Bars on a terminal, now and then a line elsewhere. */
export interface ProgressView {
  readonly update: (progress: JobProgress) => void;
  readonly stop: () => void;
}

const LINE_EVERY_MS = 5000;
const TITLE_WIDTH = 26;

export function createProgressView(terminal: Terminal, options: { readonly quiet: boolean }): ProgressView {
  if (options.quiet) return { update: () => {}, stop: () => {} };
  return terminal.stderr.isTTY === true ? barView(terminal) : lineView(terminal);
}

function titleOf({ phase, subject }: JobProgress): string {
  return subject === undefined ? phase : `${phase} ${subject}`;
}

/** Turns of a benchmark belong to one bar, whichever variant has its turn. */
function barKeyOf({ phase, subject }: JobProgress): string {
  return phase === 'bench' ? `bench ${subject?.split(' ')[0] ?? ''}` : `${phase} ${subject ?? ''}`;
}

function barView({ stderr }: Terminal): ProgressView {
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

/** How fast it goes and how long it will take yet, or how long it took. */
function rateText(done: number, total: number, seconds: number): string {
  if (done === 0 || seconds < 0.2) return '';
  if (done >= total) return `in ${formatSeconds(seconds)}`;
  return `${(done / seconds).toPrecision(3)}/s, ${formatSeconds(((total - done) * seconds) / done)} left`;
}

function lineView({ stderr }: Terminal): ProgressView {
  let lastKey = '';
  let lastMs = Number.NEGATIVE_INFINITY;
  let startMs = 0;
  return {
    update: (progress) => {
      const key = barKeyOf(progress);
      const nowMs = performance.now();
      const isLast = progress.done === progress.total;
      if (key === lastKey && !isLast && nowMs - lastMs < LINE_EVERY_MS) return;
      if (key !== lastKey) startMs = nowMs;
      lastKey = key;
      lastMs = nowMs;
      const rate = rateText(progress.done, progress.total ?? progress.done, (nowMs - startMs) / 1000);
      const of = progress.total === undefined ? '' : ` of ${progress.total}`;
      stderr.write(
        `${titleOf(progress)}: ${progress.done}${of} ${progress.unit}${rate === '' ? '' : `, ${rate}`}\n`,
      );
    },
    stop: () => {},
  };
}
