import type { RunState } from '../../core/run-terms.ts';
import { formatBytes } from '../../core/units.ts';
import type { JobProgress } from '../../jobs/worker-protocol.ts';
import type { Figure } from '../../telemetry/live-figures.ts';
import { sparkline } from './sparkline.ts';

/** What runs, as far as it is known. */
export interface WatchedRun {
  readonly id: string;
  readonly model: string;
  readonly state: RunState;
  readonly progress?: JobProgress;
}

interface Row {
  readonly place: number;
  readonly unit: Figure['unit'];
  /** One a point of time; undefined where nothing came. */
  readonly values: (number | undefined)[];
  most: number | undefined;
  isNew: boolean;
}

/** More than the widest terminal has columns. */
const KEPT_POINTS = 500;
const LABEL_WIDTH = 18;
const VALUE_WIDTH = 24;
const BAR_WIDTH = 20;

/** What is shown: a row a figure, with its past. */
export class WatchView {
  readonly #rows = new Map<string, Row>();
  run: WatchedRun | undefined;
  #points = 0;

  /** Takes the newest of each figure; `endPoint` makes a point of it. */
  add(figures: readonly Figure[]): void {
    for (const { place, label, unit, value, most } of figures) {
      let row = this.#rows.get(label);
      if (row === undefined) {
        row = { place, unit, values: new Array(this.#points).fill(undefined), most, isNew: false };
        this.#rows.set(label, row);
      }
      if (row.isNew) row.values[row.values.length - 1] = value;
      else row.values.push(value);
      row.most = most;
      row.isNew = true;
    }
  }

  /** Ends a point of time. A figure that has not come leaves a gap, and is forgotten when nothing of it is left. */
  endPoint(): void {
    for (const [label, row] of this.#rows) {
      if (!row.isNew) row.values.push(undefined);
      row.isNew = false;
      if (row.values.length > KEPT_POINTS) row.values.shift();
      if (row.values.every((value) => value === undefined)) this.#rows.delete(label);
    }
    this.#points = Math.min(KEPT_POINTS, this.#points + 1);
  }

  /** The newest of every figure that has one, by label. */
  current(): ReadonlyMap<
    string,
    { readonly unit: Figure['unit']; readonly value: number; readonly most: number | undefined }
  > {
    return new Map(
      this.#ordered().flatMap(([label, { unit, values, most }]) => {
        const value = values.at(-1);
        return value === undefined ? [] : [[label, { unit, value, most }] as const];
      }),
    );
  }

  #ordered(): readonly (readonly [string, Row])[] {
    return [...this.#rows].sort(([, a], [, b]) => a.place - b.place);
  }

  /** Lines that fit a screen of this size. */
  render(
    title: string,
    size: { readonly columns: number; readonly rows: number },
    isColored: boolean,
  ): readonly string[] {
    const width = Math.max(0, size.columns - LABEL_WIDTH - VALUE_WIDTH - 2);
    const rows = this.#ordered().map(([label, { unit, values, most }]) => {
      const value = values.at(-1);
      const text = value === undefined ? '–' : formatFigure(unit, value, most);
      const plot = sparkline(values, width, most);
      return `${clip(label, LABEL_WIDTH)} ${isColored ? `\u001b[36m${plot}\u001b[39m` : plot} ${text}`;
    });
    const head = [
      clip(title, size.columns).trimEnd(),
      ...runLines(this.run).map((line) => clip(line, size.columns).trimEnd()),
      '',
    ];
    const room = Math.max(0, size.rows - head.length);
    const hidden = rows.length - room;
    const shown =
      hidden > 0 ? [...rows.slice(0, Math.max(0, room - 1)), `… ${hidden + 1} more do not fit`] : rows;
    return [...head, ...shown].slice(0, size.rows);
  }
}

export function runLines(run: WatchedRun | undefined): readonly string[] {
  if (run === undefined) return ['nothing runs'];
  const { id, model, state, progress } = run;
  const title = `${model}, ${state}, run ${id}`;
  if (progress === undefined) return [title];
  const { phase, subject, done, total, unit } = progress;
  const name = subject === undefined ? phase : `${phase} ${subject}`;
  if (total === undefined || total <= 0) return [title, `${name}: ${done} ${unit}`];
  const filled = Math.round(Math.min(1, done / total) * BAR_WIDTH);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`;
  return [title, `${name}  ${bar}  ${done} of ${total} ${unit}`];
}

export function formatFigure(unit: Figure['unit'], value: number, most: number | undefined): string {
  switch (unit) {
    case 'ratio':
      return `${(value * 100).toFixed(1)} %`;
    case 'bytes':
      return most === undefined ? formatBytes(value) : `${formatBytes(value)} of ${formatBytes(most)}`;
    case 'bytesPerSecond':
      return `${formatBytes(Math.round(value))}/s`;
    case 'watts':
      return `${value.toFixed(1)} W`;
    case 'celsius':
      return `${value.toFixed(0)} °C`;
  }
}

function clip(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text.padEnd(width);
}
