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
const WORTH_A_WORD_SECONDS = 10;
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

function rateText(done: number, total: number, seconds: number): string {
  if (done === 0 || seconds < 0.2) return '';
  if (done >= total) return `in ${formatSeconds(seconds)}`;
  return `${(done / seconds).toPrecision(3)}/s, ${formatSeconds(((total - done) * seconds) / done)} left`;
}

function lineView({ stderr }: Terminal): ProgressView {
  let lastKey = '';
  const begun = new Map<string, { readonly ms: number; readonly done: number }>();
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    update: (progress) => {
      const key = barKeyOf(progress);
      const nowMs = performance.now();
      const begin = begun.get(key) ?? { ms: nowMs, done: progress.done };
      begun.set(key, begin);
      const isLast = progress.done === progress.total;
      if (key === lastKey && !isLast && nowMs - lastMs < LINE_EVERY_MS) return;
      lastKey = key;
      lastMs = nowMs;
      const of = progress.total === undefined ? '' : ` of ${progress.total}`;
      const left = leftText(progress, progress.done - begin.done, (nowMs - begin.ms) / 1000);
      stderr.write(`${titleOf(progress)}: ${progress.done}${of} ${progress.unit}${left}\n`);
    },
    stop: () => {},
  };
}

/** How much longer it takes if it goes on as it has; only where that is long enough to be worth a word. */
function leftText({ done, total = done }: JobProgress, doneSince: number, seconds: number): string {
  const left = ((total - done) * seconds) / doneSince;
  return doneSince > 0 && left >= WORTH_A_WORD_SECONDS ? `, ${formatSeconds(left)} left` : '';
}
