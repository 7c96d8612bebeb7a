import type { ItemFacts } from '../../core/item.ts';
import { problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { TaskProblem } from '../task.ts';
import { largestScores, NO_CLASS } from './class-mask.ts';
import type { OutputValues } from './read-output.ts';

interface PixelLayout {
  /** Where the axis of the classes is; `nchw` where it is absent. */
  readonly layout?: 'nchw' | 'nhwc';
  /** The least score of a foreground in an output of one channel; without it such an output holds class numbers. */
  readonly threshold?: number;
}

/** The class of each pixel, in rows; `NO_CLASS` where a score is NaN. */
export interface PredictedPixels {
  /** The name of the output. */
  readonly output: string;
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint16Array;
  /** How many classes the output can tell; undefined for class numbers, which do not say it. */
  readonly classes: number | undefined;
}

/** Reads the output of a segmentation model: scores for each pixel, or class numbers. */
export function readPixels(
  output: OutputValues,
  { layout = 'nchw', threshold }: PixelLayout,
  item: ItemFacts,
): Result<PredictedPixels, TaskProblem> {
  const { name, dims, values } = output;
  const shape = readShape(dims, layout);
  if (shape === undefined) {
    return err(
      problem(
        'output-shape-unexpected',
        `output '${name}' is [${dims}], which is neither scores [1, classes, height, width] nor class numbers [1, height, width]`,
        {
          place: { tensor: name, sample: item.index },
          hint: 'name the output that holds the mask, or set `layout` if the classes are its last axis',
        },
      ),
    );
  }
  const { classes, height, width } = shape;
  const found = { output: name, width, height };
  if (classes > 1) {
    const pixels = height * width;
    const strides =
      layout === 'nchw' ? { classStride: pixels, pixelStride: 1 } : { classStride: 1, pixelStride: classes };
    return ok({ ...found, pixels: largestScores(values, { classes, pixels, ...strides }), classes });
  }
  if (threshold !== undefined) return ok({ ...found, pixels: splitAt(threshold, values), classes: 2 });
  const pixels = readClassNumbers(output, item);
  return pixels.ok ? ok({ ...found, pixels: pixels.value, classes: undefined }) : pixels;
}

interface Shape {
  readonly classes: number;
  readonly height: number;
  readonly width: number;
}

function readShape(dims: readonly number[], layout: 'nchw' | 'nhwc'): Shape | undefined {
  const [batch, ...rest] = dims;
  if (batch !== 1 || dims.includes(0)) return undefined;
  const [first, second, third] = rest;
  if (first === undefined || second === undefined || rest.length > 3) return undefined;
  if (third === undefined) return { classes: 1, height: first, width: second };
  return layout === 'nchw'
    ? { classes: first, height: second, width: third }
    : { height: first, width: second, classes: third };
}

function splitAt(threshold: number, scores: ArrayLike<number>): Uint16Array {
  return Uint16Array.from(scores, (score) => {
    if (Number.isNaN(score)) return NO_CLASS;
    return score >= threshold ? 1 : 0;
  });
}

function readClassNumbers({ name, values }: OutputValues, item: ItemFacts): Result<Uint16Array, TaskProblem> {
  const pixels = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number;
    if (value >= 0 && value < NO_CLASS && Number.isInteger(value)) {
      pixels[i] = value;
    } else if (Number.isNaN(value)) {
      pixels[i] = NO_CLASS;
    } else {
      return err(
        problem('output-unsupported', `output '${name}' holds ${value}, which is not the number of a class`, {
          place: { tensor: name, sample: item.index },
          hint: 'set `threshold` if the output scores a foreground, or name another output',
        }),
      );
    }
  }
  return ok(pixels);
}
