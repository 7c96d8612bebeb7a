/**
 * What a head finds in one picture before anything is suppressed: boxes in fed pixels, and for each the classes whose
 * score reaches the threshold. Reused from picture to picture, so that nothing is allocated for each.
 */
export interface Candidates {
  readonly threshold: number;
  /** Whether a box may count for several classes; otherwise for its best one, the first of equals. */
  readonly multiLabel: boolean;
  boxCount: number;
  /** x1, y1, x2, y2 for each box. */
  boxes: Float64Array;
  count: number;
  scores: Float32Array;
  labels: Int32Array;
  /** The box of each candidate. */
  boxOf: Uint32Array;
  /** A score or a box that had to be read was not a number. */
  hasNaN: boolean;
}

const INITIAL_CAPACITY = 1024;

export function createCandidates(threshold: number, multiLabel: boolean): Candidates {
  return {
    threshold,
    multiLabel,
    boxCount: 0,
    boxes: new Float64Array(4 * INITIAL_CAPACITY),
    count: 0,
    scores: new Float32Array(INITIAL_CAPACITY),
    labels: new Int32Array(INITIAL_CAPACITY),
    boxOf: new Uint32Array(INITIAL_CAPACITY),
    hasNaN: false,
  };
}

export function clearCandidates(found: Candidates): void {
  found.boxCount = 0;
  found.count = 0;
  found.hasNaN = false;
}

/** Where the class scores of one box lie: `count` of them from `start` on, each `step` elements after the other. */
export interface ScoreRow {
  readonly values: ArrayLike<number>;
  start: number;
  readonly step: number;
  readonly count: number;
}

/**
 * Adds the classes of a box whose score times `factor` reaches the threshold. Returns whether there was one; then the
 * box itself has to follow with `addBox`.
 */
export function addScores(found: Candidates, row: ScoreRow, factor: number): boolean {
  const { threshold } = found;
  const { values, start, step, count } = row;
  const before = found.count;
  let best = -1;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (let label = 0, at = start; label < count; label += 1, at += step) {
    const score = (values[at] as number) * factor;
    if (score >= threshold) {
      if (found.multiLabel) addCandidate(found, score, label);
      else if (score > bestScore) {
        best = label;
        bestScore = score;
      }
    } else if (Number.isNaN(score)) found.hasNaN = true;
  }
  if (best !== -1) addCandidate(found, bestScore, best);
  return found.count > before;
}

/** `addScores` of logits: the score is 1 / (1 + e^−value) times `factor`, which is at most 1. */
export function addLogits(found: Candidates, row: ScoreRow, factor: number): boolean {
  const { threshold } = found;
  const { values, start, step, count } = row;
  // Nearly all logits lie far below what can reach the threshold, so that their exponential need not be taken.
  const least = Math.log(threshold / (1 - threshold)) - 1e-6;
  const before = found.count;
  let best = -1;
  let bestLogit = Number.NEGATIVE_INFINITY;
  for (let label = 0, at = start; label < count; label += 1, at += step) {
    const logit = values[at] as number;
    if (logit >= least) {
      if (found.multiLabel) {
        const score = sigmoid(logit) * factor;
        if (score >= threshold) addCandidate(found, score, label);
      } else if (logit > bestLogit) {
        best = label;
        bestLogit = logit;
      }
    } else if (Number.isNaN(logit)) found.hasNaN = true;
  }
  if (best !== -1) {
    const score = sigmoid(bestLogit) * factor;
    if (score >= threshold) addCandidate(found, score, best);
  }
  return found.count > before;
}

export function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

/** Adds one class of the box that the next `addBox` gives. */
export function addCandidate(found: Candidates, score: number, label: number): void {
  if (found.count === found.scores.length) growCandidates(found);
  const at = found.count;
  // Adding 0 turns -0 into 0, whose bits order as those of other scores do.
  found.scores[at] = score + 0;
  found.labels[at] = label;
  found.boxOf[at] = found.boxCount;
  found.count = at + 1;
}

/** Gives the candidates added last their box, by its corners. A box that is not a number takes them away again. */
export function addBox(found: Candidates, x1: number, y1: number, x2: number, y2: number): void {
  // Not their sum: a box may reach from -Infinity to Infinity, which is the whole picture.
  if (Number.isNaN(x1) || Number.isNaN(y1) || Number.isNaN(x2) || Number.isNaN(y2)) {
    found.hasNaN = true;
    while (found.count > 0 && found.boxOf[found.count - 1] === found.boxCount) found.count -= 1;
    return;
  }
  const at = 4 * found.boxCount;
  if (at === found.boxes.length) found.boxes = doubled(found.boxes, Float64Array);
  found.boxes[at] = x1;
  found.boxes[at + 1] = y1;
  found.boxes[at + 2] = x2;
  found.boxes[at + 3] = y2;
  found.boxCount += 1;
}

/** `addBox` by its centre and size. */
export function addCentredBox(
  found: Candidates,
  cx: number,
  cy: number,
  width: number,
  height: number,
): void {
  addBox(found, cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2);
}

function growCandidates(found: Candidates): void {
  found.scores = doubled(found.scores, Float32Array);
  found.labels = doubled(found.labels, Int32Array);
  found.boxOf = doubled(found.boxOf, Uint32Array);
}

function doubled<A extends Float64Array | Float32Array | Int32Array | Uint32Array>(
  old: A,
  ArrayOf: new (length: number) => A,
): A {
  const grown = new ArrayOf(2 * old.length);
  grown.set(old);
  return grown;
}
