import type { ExplainedNode } from '../../jobs/explain/explanation.ts';
import { costDb } from './explain-report.ts';
import { box, line, picture, shortened, text } from './svg.ts';

const WIDTH = 960;
const ROW = 22;
const PLOT = { left: 300, right: 880, top: 26 };
const SHOWN = 30;

/** The nodes that cost most at the outputs, the noise of each as a share of that of the first. Undefined where none was measured. */
export function renderRankingChart(nodes: readonly ExplainedNode[]): string | undefined {
  const shown = nodes.filter(({ alone }) => alone !== undefined && alone.sqnrDb !== null).slice(0, SHOWN);
  const noises = shown.map(({ alone }) => 10 ** (-(alone?.sqnrDb ?? 0) / 10));
  const largest = Math.max(...noises);
  if (shown.length === 0 || !(largest > 0)) return undefined;
  const bottom = PLOT.top + shown.length * ROW;
  const x = (share: number) => PLOT.left + share * (PLOT.right - PLOT.left);
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  return picture(WIDTH, bottom + 12, 'What single nodes cost at the outputs', [
    ...ticks.flatMap((tick) => [
      line(x(tick), PLOT.top - 6, x(tick), bottom, 'grid'),
      text(x(tick), PLOT.top - 12, `${tick * 100} %`, { anchor: 'middle' }),
    ]),
    ...shown.flatMap(({ node, op, alone, cause, reason }, at) => {
      const top = PLOT.top + at * ROW;
      const share = (noises[at] as number) / largest;
      return [
        text(PLOT.left - 8, top + 15, `${shortened(node, 30)} · ${op}`, { anchor: 'end', kind: 'name' }),
        box(
          { x: PLOT.left, y: top + 3, width: Math.max(1.5, x(share) - PLOT.left), height: ROW - 6 },
          `bar ${cause}`,
          `${node}: ${reason}`,
        ),
        text(x(share) + 6, top + 15, alone === undefined ? '' : `${costDb(alone)} dB`),
      ];
    }),
  ]);
}
