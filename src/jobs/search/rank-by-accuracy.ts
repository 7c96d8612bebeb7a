import type { AccuracyFigures, BuiltFigures } from './measured-candidate.ts';

interface Rankable {
  readonly accuracy?: AccuracyFigures;
  readonly built?: BuiltFigures;
}

/**
 * The most accurate first. On few samples one answer more or less is chance, so all whose loss lies below the smallest upper bound
 * of a loss count as equally good by the metric, and of these the distance of the outputs from those of float32 decides, which
 * every sample tells about. Then come the others by their loss, those that lose more than the budget beyond doubt, and those that
 * were not judged.
 */
export function rankByAccuracy<T extends Rankable>(candidates: readonly T[]): readonly T[] {
  const sound = candidates.filter(({ accuracy }) => accuracy !== undefined && accuracy.standing !== 'missed');
  const bound = Math.min(
    ...sound.map(({ accuracy }) => accuracy?.lossUpperBound ?? Number.POSITIVE_INFINITY),
  );
  const isAlike = (of: T) => lossOf(of) <= bound;
  return [
    ...sound.filter(isAlike).toSorted(bySignal),
    ...sound.filter((of) => !isAlike(of)).toSorted(byLoss),
    ...candidates.filter(({ accuracy }) => accuracy?.standing === 'missed').toSorted(byLoss),
    ...candidates.filter(({ accuracy }) => accuracy === undefined),
  ];
}

/** The one that loses less first, and of several that lose as much, the one whose outputs are closer to those of float32. */
export function byLoss<T extends Rankable>(a: T, b: T): number {
  return lossOf(a) - lossOf(b) || bySignal(a, b);
}

function bySignal<T extends Rankable>(a: T, b: T): number {
  return signalOf(b) - signalOf(a) || (a.built?.sizeBytes ?? 0) - (b.built?.sizeBytes ?? 0);
}

/** Finite, so that two of which nothing is known are equal. */
function lossOf({ accuracy }: Rankable): number {
  return accuracy?.loss ?? Number.MAX_VALUE;
}

/** No SQNR: nothing differs. */
function signalOf({ accuracy }: Rankable): number {
  return accuracy?.sqnrDb ?? Number.MAX_VALUE;
}
