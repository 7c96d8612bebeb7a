import type { Weights } from '../../../task.ts';
import { IGNORED_SHIFT } from './match-detections.ts';
import type { CocoParameters } from './parameters.ts';
import {
  BEGINS_RUN,
  CONTINUES_RUN,
  createScoreLists,
  type JudgedItem,
  type ScoreList,
} from './score-list.ts';

/** Means over the classes that have something to find. */
export interface AreaFigures {
  readonly classes: number;
  /**
   * Average precision at each threshold: over recalls of 0, 0.01, …, 1 the best precision at that recall or a higher
   * one.
   */
  readonly precision: Float64Array;
  /** The share of the truths that is found, at each threshold. */
  readonly recall: Float64Array;
}

const RECALLS = Float64Array.from({ length: 101 }, (_, i) => i * 0.01);
/** COCO adds the distance from 1 to the next number, so that a quotient of zeros is none. */
const SPACING = 2 ** -52;
const RIGHT_BITS = (1 << IGNORED_SHIFT) - 1;

/**
 * Average precision as pycocotools computes it. Matching and sorting are done here; the function that is returned walks
 * each list once, so that it can be asked for thousands of resamples.
 * @returns from how often each item occurs to the figures of each range of areas
 */
export function averagePrecision(
  items: readonly JudgedItem[],
  parameters: CocoParameters,
): (weights?: Weights) => readonly AreaFigures[] {
  const lists = createScoreLists(items, parameters);
  const thresholds = parameters.iouThresholds.length;
  const counts = new Float64Array(items.length);
  const walk = createWalk(thresholds);
  return (weights) => {
    // One kind of array for the walk, whatever the caller has.
    if (weights === undefined) counts.fill(1);
    else for (let i = 0; i < counts.length; i += 1) counts[i] = weights[i] as number;
    const sums = parameters.areas.map(() => ({
      classes: 0,
      precision: new Float64Array(thresholds),
      recall: new Float64Array(thresholds),
    }));
    for (const list of lists) {
      const sum = sums[list.area];
      const truths = truthsIn(list, counts);
      if (sum === undefined || truths === 0) continue;
      walkList(walk, list, counts, truths);
      sum.classes += 1;
      addAndReset(walk, truths, sum.precision, sum.recall);
    }
    for (const { classes, precision, recall } of sums) {
      for (let t = 0; t < thresholds; t += 1) {
        precision[t] = (precision[t] as number) / classes;
        recall[t] = (recall[t] as number) / classes;
      }
    }
    return sums;
  };
}

function truthsIn({ truthItems, truthCounts }: ScoreList, counts: Float64Array): number {
  let truths = 0;
  for (let i = 0; i < truthItems.length; i += 1) {
    truths += (truthCounts[i] as number) * (counts[truthItems[i] as number] as number);
  }
  return truths;
}

/** What has been counted so far along one list. */
interface Walk {
  readonly thresholds: number;
  /** By threshold. */
  readonly right: Float64Array;
  readonly ignored: Float64Array;
  /** By threshold and position in `RECALLS`: the best precision at a recall that reaches this one and not the next. */
  readonly best: Float64Array;
}

function createWalk(thresholds: number): Walk {
  return {
    thresholds,
    right: new Float64Array(thresholds),
    ignored: new Float64Array(thresholds),
    best: new Float64Array(thresholds * RECALLS.length),
  };
}

function walkList(
  walk: Walk,
  { items, notable, matches }: ScoreList,
  counts: Float64Array,
  truths: number,
): void {
  let total = 0;
  let position = 0;
  for (let i = 0; i < notable.length; i += 1) {
    const next = notable[i] as number;
    for (; position < next; position += 1) total += counts[items[position] as number] as number;
    const count = counts[items[next] as number] as number;
    const match = matches[i] as number;
    if ((match & BEGINS_RUN) !== 0 && count > 1) {
      const end = endOfRun(matches, i);
      for (let copy = 0; copy < count; copy += 1) {
        for (let k = i; k < end; k += 1) {
          total += 1;
          record(walk, matches[k] as number, 1, total, truths);
        }
      }
      position += end - i;
      i = end - 1;
      continue;
    }
    position += 1;
    if (count === 0) continue;
    total += count;
    record(walk, match, count, total, truths);
  }
}

function endOfRun(matches: Uint32Array, start: number): number {
  let end = start + 1;
  while (end < matches.length && ((matches[end] as number) & CONTINUES_RUN) !== 0) end += 1;
  return end;
}

/**
 * Counts `count` copies of one detection. Precision rises only where something right is found, and of several copies
 * the last has the highest precision and the highest recall, so that this one point stands for all.
 * @param total of all detections so far, these copies among them
 */
function record(walk: Walk, match: number, count: number, total: number, truths: number): void {
  const { right, ignored, best } = walk;
  for (let rest = (match >>> IGNORED_SHIFT) & RIGHT_BITS; rest !== 0; rest &= rest - 1) {
    const t = lowestBit(rest);
    ignored[t] = (ignored[t] as number) + count;
  }
  for (let rest = match & RIGHT_BITS; rest !== 0; rest &= rest - 1) {
    const t = lowestBit(rest);
    const found = (right[t] as number) + count;
    right[t] = found;
    const precision = found / (total - (ignored[t] as number) + SPACING);
    const at = t * RECALLS.length + recallReached(found / truths);
    if (precision > (best[at] as number)) best[at] = precision;
  }
}

/** Position of the lowest bit that is set. */
function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}

/** Position of the last of `RECALLS` that is not larger. */
function recallReached(recall: number): number {
  // A sum of weights that are not whole may exceed the truths by a rounding error.
  const estimate = Math.min(100, Math.floor(recall * 100));
  if ((RECALLS[estimate] as number) > recall) return estimate - 1;
  return estimate < 100 && (RECALLS[estimate + 1] as number) <= recall ? estimate + 1 : estimate;
}

function addAndReset(walk: Walk, truths: number, precision: Float64Array, recall: Float64Array): void {
  const { thresholds, right, ignored, best } = walk;
  for (let t = 0; t < thresholds; t += 1) {
    let highest = 0;
    let sum = 0;
    for (let at = (t + 1) * RECALLS.length - 1; at >= t * RECALLS.length; at -= 1) {
      if ((best[at] as number) > highest) highest = best[at] as number;
      sum += highest;
      best[at] = 0;
    }
    precision[t] = (precision[t] as number) + sum / RECALLS.length;
    recall[t] = (recall[t] as number) + (right[t] as number) / truths;
    right[t] = 0;
    ignored[t] = 0;
  }
}
