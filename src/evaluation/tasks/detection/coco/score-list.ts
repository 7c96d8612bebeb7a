import type { TruthBox } from '../../../../core/item.ts';
import type { Detections } from '../detections.ts';
import { orderByScore } from '../order-by-score.ts';
import { countsAs, IGNORED_SHIFT, matchDetections } from './match-detections.ts';
import type { CocoParameters } from './parameters.ts';

/** What was found in a picture and what there is to find. */
export interface JudgedItem {
  readonly found: Detections;
  readonly truths: readonly TruthBox[];
}

/**
 * The detections of one class that matter in one range of areas, of all pictures, from the highest score to the lowest.
 * Equal scores stand in the order of the pictures.
 */
export interface ScoreList {
  /** Position of the range among the areas. */
  readonly area: number;
  /** The picture of each detection. */
  readonly items: Uint32Array;
  /** Positions of the detections that are not simply wrong at every threshold, as most are. */
  readonly notable: Uint32Array;
  /** What each of these is worth: see `matchDetections`, with the two marks below. */
  readonly matches: Uint32Array;
  /** Pictures with something to find, and how much. */
  readonly truthItems: Uint32Array;
  readonly truthCounts: Uint32Array;
}

/** Begins a run of detections of one picture with equal scores that are worth different things. */
export const BEGINS_RUN = 1 << 20;
/** Goes on with such a run. */
export const CONTINUES_RUN = 1 << 21;

/** What is gathered of one class over all pictures, in their order. */
interface ClassRecord {
  readonly scores: number[];
  readonly items: number[];
  /** One for each detection and range of areas. */
  readonly matches: number[];
  /** For each range of areas, item and count one after the other. */
  readonly truths: number[][];
}

/**
 * Matches everything that was found and sorts it, once for all multisets of the items. Classes with nothing to find
 * are left out.
 */
export function createScoreLists(items: readonly JudgedItem[], parameters: CocoParameters): ScoreList[] {
  const records = new Map<number, ClassRecord>();
  for (const { truths } of items) {
    for (const { category } of truths) {
      if (records.has(category)) continue;
      records.set(category, { scores: [], items: [], matches: [], truths: parameters.areas.map(() => []) });
    }
  }
  items.forEach(({ found, truths }, item) => {
    const byClass = new Map<number, { own: number[]; truths: TruthBox[] }>();
    found.labels.forEach((label, detection) => {
      const { own } = entryOf(byClass, label);
      if (own.length < parameters.maxDetections) own.push(detection);
    });
    for (const truth of truths) entryOf(byClass, truth.category).truths.push(truth);
    for (const [label, entry] of byClass) {
      const record = records.get(label);
      if (record !== undefined) addToRecord(record, item, found, entry.own, entry.truths, parameters);
    }
  });
  return [...records.values()].flatMap((record) => listsOf(record, parameters));
}

function entryOf(
  byClass: Map<number, { own: number[]; truths: TruthBox[] }>,
  label: number,
): { own: number[]; truths: TruthBox[] } {
  let entry = byClass.get(label);
  if (entry === undefined) {
    entry = { own: [], truths: [] };
    byClass.set(label, entry);
  }
  return entry;
}

function addToRecord(
  record: ClassRecord,
  item: number,
  found: Detections,
  own: readonly number[],
  truths: readonly TruthBox[],
  parameters: CocoParameters,
): void {
  for (const match of matchDetections(found.boxes, own, truths, parameters)) record.matches.push(match);
  for (const detection of own) {
    record.scores.push(found.scores[detection] as number);
    record.items.push(item);
  }
  parameters.areas.forEach(([smallest, largest], a) => {
    let count = 0;
    for (const truth of truths) if (countsAs(truth, smallest, largest)) count += 1;
    if (count > 0) record.truths[a]?.push(item, count);
  });
}

function listsOf(record: ClassRecord, { areas, iouThresholds }: CocoParameters): ScoreList[] {
  const scores = Float32Array.from(record.scores);
  const order = orderByScore(scores);
  const everyThreshold = (1 << iouThresholds.length) - 1;
  return areas.flatMap((_, area) => {
    const truths = record.truths[area] ?? [];
    // Without anything to find there is no precision to speak of.
    if (truths.length === 0) return [];
    const kept = order.filter((detection) => {
      const match = record.matches[detection * areas.length + area] as number;
      return match >>> IGNORED_SHIFT !== everyThreshold;
    });
    const items = kept.map((detection) => record.items[detection] as number);
    const matches = kept.map((detection) => record.matches[detection * areas.length + area] as number);
    const keptScores = Float32Array.from(kept, (detection) => scores[detection] as number);
    markRuns(items, keptScores, matches);
    const notable = matches.reduce<number[]>((positions, match, i) => {
      if (match !== 0) positions.push(i);
      return positions;
    }, []);
    const half = truths.length / 2;
    return {
      area,
      items,
      notable: Uint32Array.from(notable),
      matches: matches.filter((match) => match !== 0),
      truthItems: Uint32Array.from({ length: half }, (_, i) => truths[2 * i] as number),
      truthCounts: Uint32Array.from({ length: half }, (_, i) => truths[2 * i + 1] as number),
    };
  });
}

/**
 * A picture that occurs twice repeats its detections one after the other. Where several of them have the same score,
 * the order is first, second, first, second, and what they are worth has to be counted in that order.
 */
function markRuns(items: Uint32Array, scores: Float32Array, matches: Uint32Array): void {
  for (let start = 0; start < items.length; ) {
    let end = start + 1;
    let isMixed = false;
    while (end < items.length && items[end] === items[start] && scores[end] === scores[start]) {
      if (matches[end] !== matches[start]) isMixed = true;
      end += 1;
    }
    if (isMixed) {
      matches[start] = (matches[start] as number) | BEGINS_RUN;
      for (let i = start + 1; i < end; i += 1) matches[i] = (matches[i] as number) | CONTINUES_RUN;
    }
    start = end;
  }
}
