import type { ExplainedTensor, ExplainedWeights } from '../../jobs/explain/explanation.ts';
import { logAxis } from '../figure-axis.ts';
import { box, line, picture, short, text } from './svg.ts';

const WIDTH = 500;
const HEIGHT = 170;
const PLOT = { left: 44, right: 490, top: 12, bottom: 132 };
const DECADES = 5;

/**
 * Where the values of a tensor lie, and the range of its grid, from a range's width before it to one behind it. Counts are logarithmic:
 * one value in ten thousand is what sets a range. Undefined for a tensor without a grid of its own.
 */
export function renderHistogram({ tensor, low, high, histogram }: ExplainedTensor): string | undefined {
  if (low === undefined || high === undefined || histogram === undefined) return undefined;
  const filled = histogram.flatMap((count, bin) => (count > 0 ? [bin] : []));
  const third = histogram.length / 3;
  const first = Math.min(third, filled[0] ?? third);
  const last = Math.max(2 * third - 1, filled.at(-1) ?? 0);
  const most = Math.max(...histogram, 1);
  const x = (bin: number) => PLOT.left + ((bin - first) / (last + 1 - first)) * (PLOT.right - PLOT.left);
  const heightOf = (count: number) =>
    count === 0 ? 0 : Math.max(1.5, (1 + Math.log10(count / most) / DECADES) * (PLOT.bottom - PLOT.top));
  const valueAt = (bin: number) => low + ((bin - third) / third) * (high - low);
  const bars = histogram.slice(first, last + 1).flatMap((count, offset) => {
    const bin = first + offset;
    if (count === 0) return [];
    const isInside = bin >= third && bin < 2 * third;
    const height = heightOf(count);
    const title = `${short(valueAt(bin))} to ${short(valueAt(bin + 1))}: ${count} values`;
    const place = { x: x(bin), y: PLOT.bottom - height, width: x(bin + 1) - x(bin) - 0.6, height };
    return [box(place, isInside ? 'bar inside' : 'bar input-clipping', title)];
  });
  return picture(WIDTH, HEIGHT, `Values of ${tensor}`, [
    line(PLOT.left, PLOT.bottom, PLOT.right, PLOT.bottom, 'axis'),
    ...Array.from({ length: DECADES + 1 }, (_, decade) => {
      const y = PLOT.bottom - (decade / DECADES) * (PLOT.bottom - PLOT.top);
      return [
        line(PLOT.left, y, PLOT.right, y, 'grid'),
        text(PLOT.left - 6, y + 4, decade === DECADES ? '1' : `10⁻${'⁰¹²³⁴⁵'[DECADES - decade]}`, {
          anchor: 'end',
        }),
      ].join('');
    }),
    ...bars,
    ...[third, 2 * third].map((bin) => line(x(bin), PLOT.top - 6, x(bin), PLOT.bottom + 6, 'mark')),
    text(x(third), PLOT.bottom + 20, short(low), { anchor: 'middle' }),
    text(x(2 * third), PLOT.bottom + 20, short(high), { anchor: 'middle' }),
  ]);
}

/** The largest magnitude of each channel, logarithmic, in the order of the channels. Undefined where they are not listed. */
export function renderChannels(
  { channelAbsMax, channelScales }: Pick<ExplainedWeights, 'channelAbsMax' | 'channelScales'>,
  label: string,
): string | undefined {
  const alive = (channelAbsMax ?? []).filter((largest) => largest > 0);
  if (channelAbsMax === undefined || alive.length < 2) return undefined;
  const smallest = Math.max(Math.min(...alive), Math.max(...alive) / 1e5);
  const axis = logAxis(smallest / 1.3, Math.max(...alive), PLOT.bottom - PLOT.top);
  const step = (PLOT.right - PLOT.left) / channelAbsMax.length;
  return picture(WIDTH, HEIGHT, label, [
    ...axis.ticks.flatMap((tick) => [
      line(PLOT.left, PLOT.top + axis.place(tick), PLOT.right, PLOT.top + axis.place(tick), 'grid'),
      text(PLOT.left - 6, PLOT.top + axis.place(tick) + 4, short(tick), { anchor: 'end' }),
    ]),
    ...channelAbsMax.map((largest, channel) => {
      const y = PLOT.top + axis.place(Math.max(largest, smallest / 1.3));
      const scale = channelScales?.[channel];
      const title = `channel ${channel}: ${largest === 0 ? 'always 0' : short(largest)}${scale === undefined ? '' : `, scale ${short(scale)}`}`;
      return box(
        { x: PLOT.left + channel * step, y, width: Math.max(0.8, step - 0.6), height: PLOT.bottom - y },
        'bar inside',
        title,
      );
    }),
    line(PLOT.left, PLOT.bottom, PLOT.right, PLOT.bottom, 'axis'),
    text(PLOT.left, PLOT.bottom + 20, 'channel 0'),
    text(PLOT.right, PLOT.bottom + 20, String(channelAbsMax.length - 1), { anchor: 'end' }),
  ]);
}
