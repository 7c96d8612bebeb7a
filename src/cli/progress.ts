import { barKeyOf, type ProgressView, rateText, titleOf } from './progress-view.ts';
import type { Terminal } from './terminal.ts';

const LINE_EVERY_MS = 5000;

export async function createProgressView(
  terminal: Terminal,
  options: { readonly quiet: boolean },
): Promise<ProgressView> {
  if (options.quiet) return { update: () => {}, stop: () => {} };
  if (terminal.stderr.isTTY !== true) return lineView(terminal);
  // Loaded when needed: drawing bars takes longer to load than a command line to be understood.
  return (await import('./progress-bars.ts')).barView(terminal);
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
