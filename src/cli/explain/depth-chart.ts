import type { Explanation } from '../../jobs/explain/explanation.ts';
import { linearAxis } from '../figure-axis.ts';
import { at, dot, line, picture, text } from './svg.ts';

const WIDTH = 960;
const HEIGHT = 320;
const PLOT = { left: 56, right: 944, top: 12, bottom: 276 };

/** Quieter than this is drawn as this. */
const QUIETEST_DB = 80;

/**
 * How errors add up on the way through the model: for each tensor, in the order of the model, the SQNR of its values in the quantized
 * model, and that of its node's own error alone. Undefined where nothing was observed.
 */
export function renderDepthChart({ depth, nodes }: Pick<Explanation, 'depth' | 'nodes'>): string | undefined {
  const own = new Map(nodes.map((node) => [node.output, node.own.sqnrDb ?? QUIETEST_DB]));
  const points = depth.map(({ tensor, node, accumulatedSqnrDb }) => ({
    tensor,
    node,
    accumulated: accumulatedSqnrDb ?? QUIETEST_DB,
    own: own.get(tensor),
  }));
  if (points.length < 2) return undefined;
  const values = points.flatMap((point) => [point.accumulated, point.own ?? point.accumulated]).map(limited);
  const low = Math.min(0, ...values);
  const axis = linearAxis(low, Math.max(low + 10, ...values), PLOT.bottom - PLOT.top);
  const x = (position: number) => PLOT.left + ((PLOT.right - PLOT.left) * position) / (points.length - 1);
  const y = (db: number) => PLOT.top + axis.place(limited(db));
  const path = points.map(
    (point, position) => `${position === 0 ? 'M' : 'L'}${at(x(position))} ${at(y(point.accumulated))}`,
  );
  return picture(WIDTH, HEIGHT, 'Error through the depth of the model', [
    ...axis.ticks.flatMap((tick) => [
      line(PLOT.left, PLOT.top + axis.place(tick), PLOT.right, PLOT.top + axis.place(tick), 'grid'),
      text(PLOT.left - 8, PLOT.top + axis.place(tick) + 4, `${Math.round(tick)}`, { anchor: 'end' }),
    ]),
    text(PLOT.left, PLOT.bottom + 22, 'first'),
    text((PLOT.left + PLOT.right) / 2, PLOT.bottom + 22, 'tensors in the order of the model', {
      anchor: 'middle',
    }),
    text(PLOT.right, PLOT.bottom + 22, 'last', { anchor: 'end' }),
    `<text class="label" transform="translate(14 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)" text-anchor="middle">SQNR, dB</text>`,
    `<path class="course" d="${path.join('')}"/>`,
    ...points.flatMap(({ tensor, node, own: ownDb }, position) =>
      ownDb === undefined
        ? []
        : [
            dot(
              x(position),
              y(ownDb),
              'own',
              `${node}: ${tensor}, its own error alone ${ownDb.toFixed(1)} dB`,
            ),
          ],
    ),
    ...points.map(({ tensor, node, accumulated }, position) =>
      dot(
        x(position),
        y(accumulated),
        'whole',
        `${node}: ${tensor}, in the quantized model ${accumulated.toFixed(1)} dB`,
      ),
    ),
  ]);
}

function limited(db: number): number {
  return Math.max(-20, Math.min(db, QUIETEST_DB));
}
