import { barKeyOf, type ProgressView, titleOf } from './progress-view.ts';
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
  return {
    update: (progress) => {
      const key = barKeyOf(progress);
      const nowMs = performance.now();
      const isLast = progress.done === progress.total;
      if (key === lastKey && !isLast && nowMs - lastMs < LINE_EVERY_MS) return;
      lastKey = key;
      lastMs = nowMs;
      const of = progress.total === undefined ? '' : ` of ${progress.total}`;
      stderr.write(`${titleOf(progress)}: ${progress.done}${of} ${progress.unit}\n`);
    },
    stop: () => {},
  };
}
