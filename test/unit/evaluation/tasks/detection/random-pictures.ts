import type { TruthBox } from '../../../../../src/core/item.ts';
import type { DetectionAnswer } from '../../../../../src/evaluation/tasks/detection/detection-task.ts';

/** x, y, width, height, score, class. */
export type FoundRow = readonly [number, number, number, number, number, number];

/** A picture as the peer's script reads it. */
export interface Picture {
  readonly truths: readonly TruthBox[];
  /** From the highest score to the lowest. */
  readonly found: readonly FoundRow[];
  /** How often it counts. */
  readonly count: number;
}

export interface PictureSettings {
  readonly pictures: number;
  readonly classes: number;
  /** How many different scores there are; few make many ties. */
  readonly levels: number;
  readonly mostTruths: number;
  readonly mostFound: number;
  readonly mostCount: number;
}

/** All numbers are exact in float32, so that no rounding stands between the peer and the room. */
export function randomPictures(seed: number, settings: PictureSettings): Picture[] {
  const random = createRandom(seed);
  const { pictures, classes, levels, mostTruths, mostFound, mostCount } = settings;
  const below = (end: number) => Math.floor(random() * end);
  const pick = <T>(choices: readonly T[]) => choices[below(choices.length)] as T;
  const truth = (): TruthBox => {
    const [width, height] = [pick([12, 24, 32, 40, 90, 96, 130]), pick([16, 32, 48, 96, 120])];
    const area = width * height * pick([0.5, 0.75, 1]);
    return {
      category: below(classes),
      x: 4 * below(60),
      y: 4 * below(60),
      width,
      height,
      isCrowd: random() < 0.1,
      area,
    };
  };
  const found = (truths: readonly TruthBox[]): FoundRow => {
    const score = (1 + below(levels)) / levels;
    if (truths.length === 0 || random() < 0.25) {
      return [
        below(240),
        below(240),
        pick([10, 30, 33, 95, 120]),
        pick([20, 32, 100]),
        score,
        below(classes),
      ];
    }
    const { x, y, width, height, category } = pick(truths);
    const shift = () => below(width / 5) - width / 10;
    const label = random() < 0.9 ? category : below(classes);
    const quarters = (value: number) => Math.round(4 * value) / 4;
    return [
      quarters(x + shift()),
      quarters(y + shift()),
      quarters(width + shift()),
      quarters(height + shift() / 2),
      score,
      label,
    ];
  };
  return Array.from({ length: pictures }, () => {
    const truths = Array.from({ length: below(mostTruths + 1) }, truth);
    const rows = Array.from({ length: below(mostFound + 1) }, () => found(truths));
    return {
      truths,
      found: rows.sort((a, b) => b[4] - a[4]),
      count: mostCount === 1 ? 1 : below(mostCount + 1),
    };
  });
}

export function answerOf({
  truths,
  found,
}: {
  readonly truths: readonly TruthBox[] | undefined;
  readonly found: readonly FoundRow[];
}): DetectionAnswer {
  return {
    truths,
    found: {
      boxes: Float32Array.from(found.flatMap((row) => row.slice(0, 4))),
      scores: Float32Array.from(found, (row) => row[4]),
      labels: Int32Array.from(found, (row) => row[5]),
    },
    hasNaN: false,
  };
}

/** Uniform in [0, 1). Source: mulberry32. */
function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
