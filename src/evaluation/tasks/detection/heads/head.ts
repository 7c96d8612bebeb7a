import { ProblemError, problem } from '../../../../core/problem.ts';
import { elementCount, type NamedTensors } from '../../../../core/tensor.ts';
import { numericValues } from '../../../numeric-values.ts';
import type { TaskProblem } from '../../../task.ts';
import type { Candidates } from '../candidates.ts';
import type { Size } from '../detections.ts';
import { invalidSetting, missingOutput, unexpectedDims } from '../problems.ts';

/** Reads boxes and their classes from the outputs of one family of detectors. */
export interface Head {
  /** What the head's authors evaluate it with. */
  readonly defaults: {
    readonly scoreThreshold: number;
    /** Undefined where nothing is suppressed. */
    readonly iouThreshold: number | undefined;
    readonly maxDetections: number;
    readonly multiLabel: boolean;
  };
  /**
   * Adds what it finds, in fed pixels. Throws a `ProblemError` where an output is not what the head reads.
   * @param fed undefined where the data do not say
   * @returns the number of classes, where the outputs tell
   */
  decode(tensors: NamedTensors, fed: Size | undefined, found: Candidates): number | undefined;
}

/** An output as a matrix in row-major order. */
export interface Matrix {
  readonly values: ArrayLike<number>;
  readonly rows: number;
  readonly columns: number;
}

/** The output that a setting names, otherwise the one of the `usual` name, otherwise the model's only one. */
export function chooseOutput(
  outputs: readonly string[],
  field: string,
  named: string | undefined,
  usual?: string,
): string {
  if (named !== undefined) {
    if (outputs.includes(named)) return named;
    throw missingOutput(field, `the model has no output "${named}"`, outputs);
  }
  if (usual !== undefined) {
    if (outputs.includes(usual)) return usual;
    throw missingOutput(field, `the model has no output "${usual}"`, outputs);
  }
  const [only, ...more] = outputs;
  if (only !== undefined && more.length === 0) return only;
  throw missingOutput(field, 'the model has not just one output', outputs);
}

/** The numbers of an output with its dimensions. */
export function readOutput(
  tensors: NamedTensors,
  name: string,
): { readonly values: ArrayLike<number>; readonly dims: readonly number[] } {
  const tensor = tensors[name];
  if (tensor === undefined) {
    throw new ProblemError<TaskProblem['kind']>(
      problem('output-missing', `the model gave no output "${name}"`, { place: { tensor: name } }),
    );
  }
  const values = numericValues(tensor);
  if (values === undefined) {
    throw new ProblemError<TaskProblem['kind']>(
      problem('output-unsupported', `the output "${name}" holds strings`, {
        place: { tensor: name },
        hint: 'name an output that holds numbers',
      }),
    );
  }
  return { values, dims: tensor.dims };
}

/** An output as rows of its last dimension; of the others at most one may be more than 1. */
export function readRows(
  tensors: NamedTensors,
  name: string,
  head: string,
  expects: string,
  isExpected: (columns: number) => boolean,
): Matrix {
  const { values, dims } = readOutput(tensors, name);
  const columns = dims.at(-1);
  const leading = dims.slice(0, -1);
  if (columns === undefined || !isExpected(columns) || leading.filter((dim) => dim !== 1).length > 1) {
    throw unexpectedDims(head, name, dims, expects);
  }
  return { values, rows: elementCount(leading), columns };
}

/** Two outputs that describe the same boxes. */
export function requireSameRows(
  head: string,
  [first, firstRows]: readonly [string, number],
  [second, secondRows]: readonly [string, number],
): void {
  if (firstRows === secondRows) return;
  throw new ProblemError<TaskProblem['kind']>(
    problem(
      'output-shape-unexpected',
      `the output "${first}" has ${firstRows} boxes and the output "${second}" has ${secondRows}, and the head ${head} reads as many of both`,
      { place: { tensor: second }, hint: 'name outputs that belong together' },
    ),
  );
}

export function requireFedSize(head: string, fed: Size | undefined): Size {
  if (fed !== undefined) return fed;
  throw invalidSetting(
    '/input',
    `the head ${head} needs the size of the fed picture, which the data do not tell`,
    'set input to its width and height',
  );
}

/** Cells of a grid over the fed picture. */
export function gridOf(fed: Size, stride: number): Size {
  return { width: Math.ceil(fed.width / stride), height: Math.ceil(fed.height / stride) };
}

export function requireStride(field: string, stride: number | undefined): void {
  if (stride !== undefined && Number.isFinite(stride) && stride > 0) return;
  throw invalidSetting(field, `a stride of ${stride} is none`, 'give the pixels from one cell to the next');
}

/** e^value over their sum, of `count` values from `start` on, into `shares`. */
export function softmax(values: ArrayLike<number>, start: number, count: number, shares: Float64Array): void {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i += 1) largest = Math.max(largest, values[start + i] as number);
  let sum = 0;
  for (let i = 0; i < count; i += 1) {
    const power = Math.exp((values[start + i] as number) - largest);
    shares[i] = power;
    sum += power;
  }
  for (let i = 0; i < count; i += 1) shares[i] = (shares[i] as number) / sum;
}
