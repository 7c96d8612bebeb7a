import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addBox,
  addCandidate,
  type Candidates,
  createCandidates,
} from '../../../../../src/evaluation/tasks/detection/candidates.ts';
import { suppress } from '../../../../../src/evaluation/tasks/detection/suppress.ts';

/** x1, y1, x2, y2, score, class. */
type Row = readonly [number, number, number, number, number, number];

function candidatesOf(rows: readonly Row[]): Candidates {
  const found = createCandidates(0, true);
  for (const [x1, y1, x2, y2, score, label] of rows) {
    addCandidate(found, score, label);
    addBox(found, x1, y1, x2, y2);
  }
  return found;
}

const SETTINGS = { iouThreshold: 0.5, classAgnostic: false, maxDetections: 100 };

function keptOf(rows: readonly Row[], settings: Partial<typeof SETTINGS> = {}): number[] {
  return [...suppress(candidatesOf(rows), { ...SETTINGS, ...settings })];
}

function iouOf(a: Row, b: Row): number {
  const shared =
    Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) *
    Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const area = ([x1, y1, x2, y2]: Row) => (x2 - x1) * (y2 - y1);
  return shared === 0 ? 0 : shared / (area(a) + area(b) - shared);
}

/** Takes the best that is left and strikes out all that it covers, until nothing is left. */
function bruteForce(rows: readonly Row[], { iouThreshold, classAgnostic, maxDetections }: typeof SETTINGS) {
  let left = rows.map((row, i) => ({ row, i }));
  const kept: number[] = [];
  while (left.length > 0) {
    const best = left.reduce((a, b) => (b.row[4] > a.row[4] ? b : a));
    kept.push(best.i);
    left = left.filter(
      ({ row, i }) =>
        i !== best.i && !((classAgnostic || row[5] === best.row[5]) && iouOf(row, best.row) > iouThreshold),
    );
  }
  return kept.slice(0, maxDetections);
}

describe('suppress', () => {
  const a: Row = [0, 0, 10, 10, 0.6, 0];
  const nearlyA: Row = [0, 1, 10, 11, 0.9, 0];
  const far: Row = [50, 50, 60, 60, 0.3, 0];

  it('keeps the highest scored of boxes that overlap', () => {
    expect(keptOf([a, nearlyA, far])).toEqual([1, 2]);
  });

  it('lets boxes of other classes stand unless it is agnostic', () => {
    const other: Row = [0, 1, 10, 11, 0.9, 1];
    expect(keptOf([a, other])).toEqual([1, 0]);
    expect(keptOf([a, other], { classAgnostic: true })).toEqual([1]);
  });

  it('keeps a box that overlaps by just the threshold', () => {
    const half: Row = [0, 0, 10, 5, 0.5, 0];
    expect(keptOf([a, half])).toEqual([0, 1]);
    expect(keptOf([a, half], { iouThreshold: 0.49 })).toEqual([0]);
  });

  it('keeps the first of equal scores', () => {
    expect(keptOf([a, [0, 1, 10, 11, 0.6, 0]])).toEqual([0]);
  });

  it('lets a suppressed box suppress nothing', () => {
    const chain: Row[] = [
      [0, 0, 10, 10, 0.9, 0],
      [0, 3, 10, 13, 0.8, 0],
      [0, 6, 10, 16, 0.7, 0],
    ];
    expect(keptOf(chain)).toEqual([0, 2]);
  });

  it('keeps at most as many as wanted, the best', () => {
    expect(keptOf([far, a, nearlyA], { maxDetections: 1 })).toEqual([2]);
  });

  it('suppresses nothing without a threshold, and still sorts and cuts', () => {
    const found = candidatesOf([a, nearlyA, far]);
    const settings = { iouThreshold: undefined, classAgnostic: false, maxDetections: 2 };
    expect([...suppress(found, settings)]).toEqual([1, 0]);
  });

  it('finds nothing in nothing', () => {
    expect(keptOf([])).toEqual([]);
  });

  it('goes on behind the best candidates when too few of them are kept', () => {
    const copies = Array.from({ length: 9000 }, (): Row => [0, 0, 10, 10, 0.9, 0]);
    expect(keptOf([...copies, far, [80, 80, 90, 90, 0.2, 0]])).toEqual([0, 9000, 9001]);
  });

  it('agrees with brute force', () => {
    const side = fc.integer({ min: 0, max: 12 });
    const size = fc.integer({ min: 1, max: 8 });
    const row = fc
      .tuple(side, side, size, size, fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: 2 }))
      .map(([x, y, w, h, score, label]): Row => [x, y, x + w, y + h, score / 8, label]);
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 60 }),
        fc.constantFrom(0, 0.2, 0.5, 0.75, 1),
        fc.boolean(),
        fc.constantFrom(1, 5, 100),
        (rows, iouThreshold, classAgnostic, maxDetections) => {
          const settings = { iouThreshold, classAgnostic, maxDetections };
          expect(keptOf(rows, settings)).toEqual(bruteForce(rows, settings));
        },
      ),
      { numRuns: 300 },
    );
  });
});
