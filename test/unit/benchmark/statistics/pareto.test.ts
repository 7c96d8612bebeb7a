import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Objective, paretoFront } from '../../../../src/benchmark/statistics/pareto.ts';

interface Setting {
  readonly threads: number;
  readonly latencyMs: number | null;
  readonly throughput: number | null;
}

const LATENCY: Objective<Setting> = {
  name: 'latency',
  better: 'lower',
  figure: ({ latencyMs }) => latencyMs,
};
const THROUGHPUT: Objective<Setting> = {
  name: 'throughput',
  better: 'higher',
  figure: ({ throughput }) => throughput,
};

const setting = (threads: number, latencyMs: number | null, throughput: number | null): Setting => ({
  threads,
  latencyMs,
  throughput,
});

describe('paretoFront', () => {
  it('keeps what nothing beats, and names what beats the rest', () => {
    const quick = setting(1, 5, 200);
    const middle = setting(2, 7, 350);
    const worse = setting(3, 8, 340);
    const broad = setting(4, 12, 600);
    expect(paretoFront([broad, worse, middle, quick], [LATENCY, THROUGHPUT])).toEqual({
      front: [broad, middle, quick],
      dominated: [{ point: worse, by: middle }],
      excluded: [],
    });
  });

  it('drops a point from the front when a later one beats it', () => {
    const [slow, slower, quick] = [setting(1, 8, 100), setting(2, 9, 110), setting(3, 5, 120)];
    const { front, dominated } = paretoFront([slow, slower, quick], [LATENCY, THROUGHPUT]);
    expect(front).toEqual([quick]);
    expect(dominated.map(({ point }) => point)).toEqual([slow, slower]);
  });

  it('keeps equal points together, and drops one that is equal in all but one figure', () => {
    const [one, twin, lesser] = [setting(1, 5, 200), setting(2, 5, 200), setting(3, 5, 190)];
    const { front, dominated } = paretoFront([one, twin, lesser], [LATENCY, THROUGHPUT]);
    expect(front).toEqual([one, twin]);
    expect(dominated).toEqual([{ point: lesser, by: one }]);
  });

  it('places no point whose figures are missing, and says which', () => {
    const [good, failed, odd] = [setting(1, 5, 200), setting(2, null, null), setting(3, Number.NaN, 1e9)];
    expect(paretoFront([failed, good, odd], [LATENCY, THROUGHPUT])).toEqual({
      front: [good],
      dominated: [],
      excluded: [
        { point: failed, missing: ['latency', 'throughput'] },
        { point: odd, missing: ['latency'] },
      ],
    });
  });

  it('is the best point alone with a single objective', () => {
    const points = [setting(1, 5, 200), setting(2, 4, 100), setting(3, 6, 300)];
    expect(paretoFront(points, [LATENCY]).front).toEqual([points[1]]);
    expect(paretoFront(points, [THROUGHPUT]).front).toEqual([points[2]]);
  });

  it('has nothing of nothing and refuses to compare by nothing', () => {
    expect(paretoFront([], [LATENCY])).toEqual({ front: [], dominated: [], excluded: [] });
    expect(() => paretoFront([setting(1, 5, 200)], [])).toThrow('without an objective');
  });

  it('is what the definition says, for any points', () => {
    const figure = fc.integer({ min: 0, max: 5 });
    fc.assert(
      fc.property(fc.array(fc.tuple(figure, figure, figure), { maxLength: 30 }), (points) => {
        const objectives = [0, 1, 2].map((i) => ({
          name: `${i}`,
          better: 'lower' as const,
          figure: (point: [number, number, number]) => point[i] as number,
        }));
        const isBeaten = (point: number[]) =>
          points.some(
            (other) =>
              other.every((value, i) => value <= (point[i] as number)) &&
              other.some((value, i) => value < (point[i] as number)),
          );
        const { front, dominated } = paretoFront(points, objectives);
        expect(front).toEqual(points.filter((point) => !isBeaten(point)));
        expect(dominated.map(({ point }) => point)).toEqual(points.filter(isBeaten));
      }),
    );
  });
});
