import type { ImageGeometry, ItemFacts } from '../../core/item.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { TaskProblem } from '../task.ts';
import { NO_CLASS } from './class-mask.ts';
import type { PredictedPixels } from './predicted-pixels.ts';
import { isClassOf, labelOutOfRange, unsuitableTruth } from './unsuitable-truth.ts';

/** Pixels by class, of the classes that occur in the truth or the prediction. What the truth ignores is not counted. */
export interface PixelCounts {
  readonly classes: Uint16Array;
  readonly truth: Uint32Array;
  readonly predicted: Uint32Array;
  /** Pixels of the class in both. */
  readonly intersection: Uint32Array;
}

/**
 * Compares a prediction with the item's truth, in the size of the truth.
 * @param ignore the class of pixels that are neither right nor wrong
 */
export function countAgainstTruth(
  predicted: PredictedPixels,
  item: ItemFacts,
  ignore: number,
): Result<PixelCounts, TaskProblem> {
  const truth = readMask(predicted, item, ignore);
  if (!truth.ok) return truth;
  const { width, height, labels } = truth.value;
  const { columns, rows } = sourcePositions(predicted, truth.value, item.geometry);
  const tally = createPixelTally();
  for (let y = 0, at = 0; y < height; y += 1) {
    const row = rows[y] as number;
    for (let x = 0; x < width; x += 1, at += 1) {
      const column = columns[x] as number;
      const label = labels[at] as number;
      if (label === ignore || row === OUTSIDE || column === OUTSIDE) continue;
      tally.add(label, predicted.pixels[row * predicted.width + column] as number);
    }
  }
  return ok(tally.counts());
}

interface TruthMask extends Size {
  readonly labels: ArrayLike<number>;
}

function readMask(
  { output, classes }: PredictedPixels,
  item: ItemFacts,
  ignore: number,
): Result<TruthMask, TaskProblem> {
  const { truth } = item;
  const wanted = "a mask [height, width] of class numbers (the kind 'tensor')";
  if (truth?.kind !== 'tensor') return err(unsuitableTruth(item, `of the kind '${truth?.kind}'`, wanted));
  const { dims, values } = truth;
  const [height, width, ...others] = dims.length === 3 && dims[0] === 1 ? dims.slice(1) : dims;
  if (height === undefined || width === undefined || others.length > 0 || values.length !== height * width) {
    return err(unsuitableTruth(item, `[${dims}]`, wanted));
  }
  for (let i = 0; i < values.length; i += 1) {
    const label = values[i] as number;
    if (label === ignore) continue;
    if (!isClassOf(NO_CLASS, label)) return err(unsuitableTruth(item, `a mask that holds ${label}`, wanted));
    if (classes !== undefined && label >= classes) {
      return err(labelOutOfRange(item, label, output, classes));
    }
  }
  return ok({ width, height, labels: values });
}

/** A pixel of the truth that the model was not shown. */
const OUTSIDE = -1;

interface Size {
  readonly width: number;
  readonly height: number;
}

/** For each column and row of the truth: which one of the prediction shows it, or `OUTSIDE`. */
function sourcePositions(
  predicted: Size,
  truth: Size,
  geometry: ImageGeometry | undefined,
): { readonly columns: Int32Array; readonly rows: Int32Array } {
  // A mask of another size than the picture was prepared together with it.
  const isOriginal = geometry?.width === truth.width && geometry.height === truth.height;
  const [scaleX, scaleY] = isOriginal ? geometry.scale : [1, 1];
  const [offsetX, offsetY] = isOriginal ? geometry.offset : [0, 0];
  const fed = isOriginal ? { width: geometry.fedWidth, height: geometry.fedHeight } : truth;
  return {
    columns: mapCenters(truth.width, scaleX, offsetX, predicted.width / fed.width, predicted.width),
    rows: mapCenters(truth.height, scaleY, offsetY, predicted.height / fed.height, predicted.height),
  };
}

function mapCenters(count: number, scale: number, offset: number, ratio: number, size: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => {
    const position = Math.floor(((i + 0.5) * scale + offset) * ratio);
    return position >= 0 && position < size ? position : OUTSIDE;
  });
}

interface PixelTally {
  add(truth: number, predicted: number): void;
  counts(): PixelCounts;
}

function createPixelTally(): PixelTally {
  // Truth, prediction and intersection of each class, grown to the largest that comes.
  let counted = new Uint32Array(3 * 256);
  const count = (position: number): void => {
    counted[position] = (counted[position] as number) + 1;
  };
  return {
    add: (truth, predicted) => {
      const needed = 3 * (Math.max(truth, predicted === NO_CLASS ? 0 : predicted) + 1);
      if (needed > counted.length) {
        const larger = new Uint32Array(2 * needed);
        larger.set(counted);
        counted = larger;
      }
      count(3 * truth);
      if (predicted === NO_CLASS) return;
      count(3 * predicted + 1);
      if (truth === predicted) count(3 * truth + 2);
    },
    counts: () => {
      const labels = Array.from({ length: Math.ceil(counted.length / 3) }, (_, label) => label);
      const classes = Uint16Array.from(
        labels.filter((label) => counted[3 * label] !== 0 || counted[3 * label + 1] !== 0),
      );
      const pick = (at: number): Uint32Array =>
        Uint32Array.from(classes, (label) => counted[3 * label + at] as number);
      return { classes, truth: pick(0), predicted: pick(1), intersection: pick(2) };
    },
  };
}
