import { describe, expect, it } from 'vitest';
import { runLines, WatchView } from '../../../../src/cli/watch/watch-view.ts';
import type { Figure } from '../../../../src/telemetry/live-figures.ts';

const cpu = (value: number): Figure => ({ place: 0, label: 'cpu', unit: 'ratio', value, most: 1 });
const memory = (value: number): Figure => ({ place: 1, label: 'memory', unit: 'bytes', value, most: 2048 });

function viewOf(points: readonly (readonly Figure[])[]): WatchView {
  const view = new WatchView();
  for (const [index, figures] of points.entries()) {
    if (index > 0) view.endPoint();
    view.add(figures);
  }
  return view;
}

const size = { columns: 50, rows: 24 };

describe('WatchView', () => {
  it('has a row a figure, with its past and its present', () => {
    const view = viewOf([[cpu(0), memory(1024)], [cpu(0.5)], [cpu(1), memory(2048)]]);
    expect(view.render('host', size, false)).toEqual([
      'host',
      'nothing runs',
      '',
      'cpu                   ▁▅█ 100.0 %',
      'memory                ▅ █ 2.00 KiB of 2.00 KiB',
    ]);
  });

  it('keeps the order of places, whatever came first', () => {
    const lines = viewOf([[memory(1)], [cpu(1)]]).render('', size, false);
    expect(lines.slice(-2).map((line) => line.slice(0, 6))).toEqual(['cpu   ', 'memory']);
  });

  it('takes the newest of several that come within a point', () => {
    const view = viewOf([[cpu(0.1)]]);
    view.add([cpu(0.9)]);
    expect(view.current().get('cpu')?.value).toBe(0.9);
  });

  it('shows a dash where a figure has gone, and forgets it once its past has', () => {
    const view = viewOf([[cpu(1)], []]);
    view.endPoint();
    expect(view.render('', size, false).at(-1)).toMatch(/^cpu .*–$/);
    for (let point = 0; point < 600; point += 1) view.endPoint();
    expect(view.render('', size, false).at(-1)).toBe('');
  });

  it('fits any screen', () => {
    const view = viewOf([[cpu(1), memory(1)]]);
    view.run = { id: 'r'.repeat(100), model: 'digits', state: 'running' as const };
    for (const rows of [1, 3, 4, 5, 30]) {
      for (const columns of [1, 20, 60, 300]) {
        const lines = view.render('title', { columns, rows }, false);
        expect(lines.length).toBeLessThanOrEqual(rows);
        if (columns >= 60)
          expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(columns);
      }
    }
    expect(view.render('title', { columns: 60, rows: 4 }, false).at(-1)).toMatch(/2 more do not fit/);
  });

  it('colours plots only where it may', () => {
    const view = viewOf([[cpu(1)]]);
    expect(view.render('', size, true).join('')).toContain('\u001b[36m');
    expect(view.render('', size, false).join('')).not.toContain('\u001b');
  });
});

describe('runLines', () => {
  const run = { id: 'r1', model: 'digits', state: 'running' as const };

  it('shows phase, subject and how far it has come', () => {
    const progress = { phase: 'calibrate', subject: 'int8', done: 64, total: 256, unit: 'samples' } as const;
    expect(runLines({ ...run, progress })).toEqual([
      'digits, running, run r1',
      'calibrate int8  █████░░░░░░░░░░░░░░░  64 of 256 samples',
    ]);
  });

  it('counts where nobody knows how much there is', () => {
    expect(runLines({ ...run, progress: { phase: 'load', done: 3, unit: 'files' } }).at(-1)).toBe(
      'load: 3 files',
    );
  });
});
