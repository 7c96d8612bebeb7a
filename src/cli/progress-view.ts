import { formatSeconds } from '../core/units.ts';
import type { JobProgress } from '../jobs/worker-protocol.ts';

/** Shows how far long work has come. Bars on a terminal, now and then a line elsewhere. */
export interface ProgressView {
  readonly update: (progress: JobProgress) => void;
  readonly stop: () => void;
}

/** What is worked on, in the words of a line or a bar. */
export function titleOf({ phase, subject }: JobProgress): string {
  return subject === undefined ? phase : `${phase} ${subject}`;
}

/** Turns of a benchmark belong to one bar, whichever variant has its turn. */
export function barKeyOf({ phase, subject }: JobProgress): string {
  return phase === 'bench' ? `bench ${subject?.split(' ')[0] ?? ''}` : `${phase} ${subject ?? ''}`;
}

/** How fast it goes and how long it will take yet, or how long it took. */
export function rateText(done: number, total: number, seconds: number): string {
  if (done === 0 || seconds < 0.2) return '';
  if (done >= total) return `in ${formatSeconds(seconds)}`;
  return `${(done / seconds).toPrecision(3)}/s, ${formatSeconds(((total - done) * seconds) / done)} left`;
}
