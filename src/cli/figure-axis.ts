/** A vertical axis of a figure: the largest value at 0, the smallest at `height`. */
export interface Axis {
  readonly height: number;
  /** Round values to draw lines at. */
  readonly ticks: readonly number[];
  readonly place: (value: number) => number;
}

const MOST_TICKS = 7;

/** A range narrower than this is widened, so that there is something to read. */
const NARROWEST_RATIO = 1.02;

/**
 * An axis on which equal differences are equally far apart; its upper end is the tick at or above `high`.
 * @param high above `low`
 */
export function linearAxis(low: number, high: number, height: number): Axis {
  const step = roundStep((high - low) / (MOST_TICKS - 1));
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
  const end = last * step;
  return { height, ticks, place: (value) => height * (1 - (value - low) / (end - low)) };
}

/** An axis on which equal ratios are equally far apart. @param low above 0 */
export function logAxis(low: number, high: number, height: number): Axis {
  const isNarrow = high / low < NARROWEST_RATIO;
  const [from, to] = isNarrow ? [low / 1.05, high * 1.05] : [low, high];
  const place = (value: number) => height * (1 - Math.log(value / from) / Math.log(to / from));
  return { height, ticks: logTicks(from, to), place };
}

/** Powers of ten with as many values between them as there is room for; within one power, steps of equal size. */
function logTicks(low: number, high: number): readonly number[] {
  for (const digits of [[1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]]) {
    const ticks = powers(low, high, digits);
    if (ticks.length <= MOST_TICKS && ticks.length >= 3) return ticks;
  }
  if (high / low < 10) return linearAxis(low, high, 1).ticks.filter((tick) => tick >= low && tick <= high);
  const all = powers(low, high, [1]);
  const every = Math.ceil(all.length / MOST_TICKS);
  return all.filter((_, index) => index % every === 0);
}

function powers(low: number, high: number, digits: readonly number[]): readonly number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const digit of digits) {
      const tick = Number(`${digit}e${power}`);
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  }
  return ticks;
}

/** The smallest of 1, 2 and 5 times a power of ten that is at least `step`. */
function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * ([1, 2, 5, 10].find((digit) => digit * power >= step * (1 - 1e-9)) as number);
}
