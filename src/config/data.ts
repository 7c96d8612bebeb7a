import { resolve } from 'node:path';
import type { DataSpec, ImageSpec, InputSpec } from '../core/data-spec.ts';
import { type Problem, problem } from '../core/problem.ts';
import type { DataSource, InputSource } from './data-schema.ts';
import { joinPointer, type YamlDocument } from './yaml-document.ts';

/** What folders and files without splits of their own are split into. */
const DEFAULT_SPLITS = { seed: 0, sizes: { calib: 0.2, eval: 0.8 } } as const;

/**
 * Fills in defaults and makes paths absolute.
 * @param folder that of the file
 * @param isShared the data serves for calibration as well as evaluation, so it is split if it has no splits of its own
 */
export function resolveDataSet(source: DataSource, folder: string, isShared: boolean): DataSpec {
  const { path, format, arrays, labels, splits, preprocess, inputs, onBadSample } = source;
  const hasOwnSplits = format === 'npz' || format === 'random' || /\.npz$/.test(path ?? '');
  const isSplit = splits !== undefined || (isShared && !hasOwnSplits);
  return {
    path: path === undefined ? '' : resolve(folder, path),
    ...(format === undefined ? {} : { format }),
    ...(arrays === undefined ? {} : { arrays }),
    ...(labels === undefined ? {} : { labels: resolveLabels(labels, folder) }),
    ...(isSplit ? { splits: splits === undefined ? DEFAULT_SPLITS : { seed: 0, ...splits } } : {}),
    ...(typeof preprocess === 'string' ? { module: resolve(folder, preprocess) } : {}),
    ...(typeof preprocess === 'object' ? { preprocess: resolveInput(preprocess, folder) } : {}),
    ...(inputs === undefined
      ? {}
      : {
          inputs: Object.fromEntries(
            Object.entries(inputs).map(([name, input]) => [name, resolveInput(input, folder)]),
          ),
        }),
    ...(onBadSample === undefined ? {} : { onBadSample }),
  };
}

function resolveLabels(labels: NonNullable<DataSource['labels']>, folder: string) {
  const { file, masks } = labels;
  return {
    ...labels,
    ...(file === undefined ? {} : { file: resolve(folder, file) }),
    ...(masks === undefined ? {} : { masks: resolve(folder, masks) }),
  };
}

function resolveInput(source: InputSource, folder: string): InputSpec {
  const { resize, crop, channels, layout, sampleRate, length, frame, tokenize, scale, ...plain } = source;
  // The rules of the file see to it that there is one way to resize and no more.
  const image = present({ crop, channels, layout, resize: resize as ImageSpec['resize'] });
  const audio = present({ sampleRate, length, frame });
  return {
    ...plain,
    ...(image === undefined ? {} : { image }),
    ...(audio === undefined ? {} : { audio }),
    ...(tokenize === undefined
      ? {}
      : { tokenize: { ...tokenize, tokenizer: resolve(folder, tokenize.tokenizer) } }),
    ...(scale === undefined ? {} : { scale: numberOf(scale) }),
  };
}

/** The fields that are there; undefined where none is. */
function present<T extends object>(
  fields: T,
): { readonly [Key in keyof T]?: Exclude<T[Key], undefined> } | undefined {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : (Object.fromEntries(given) as T);
}

function numberOf(scale: number | string): number {
  if (typeof scale === 'number') return scale;
  const [numerator, denominator] = scale.split('/').map(Number);
  return (numerator as number) / (denominator as number);
}

/** What the schema of data cannot say. @param root the JSON pointer of the description: empty, or `/data` */
export function dataRuleProblems(
  source: DataSource,
  document: YamlDocument,
  root: string,
): readonly Problem<'invalid-value'>[] {
  const found: Problem<'invalid-value'>[] = [];
  const report = (field: string, message: string, hint: string): void => {
    found.push(
      problem('invalid-value', message, { place: document.placeOf(`${root}${field}`, 'value'), hint }),
    );
  };
  if ((source.path === undefined) !== (source.format === 'random')) {
    report(
      '/path',
      source.path === undefined ? '"path" is missing' : 'random data is made up, so it has no "path"',
      'name the file or folder of the data, or set "format: random" for benchmarks without any',
    );
  }
  if (typeof source.preprocess === 'string' && source.inputs !== undefined) {
    report('/inputs', 'a module of your own makes all inputs', 'leave out "inputs", or the module');
  }
  const inputs: [string, InputSource][] = Object.entries(source.inputs ?? {}).map(([name, input]) => [
    joinPointer('/inputs', name),
    input,
  ]);
  if (typeof source.preprocess === 'object') inputs.push(['/preprocess', source.preprocess]);
  for (const [field, input] of inputs) reportInput(input, field, report);
  return found;
}

type Report = (field: string, message: string, hint: string) => void;

function reportInput(input: InputSource, field: string, report: Report): void {
  const { resize, value, tokenize, scale } = input;
  if (resize !== undefined) reportResize(resize, `${field}/resize`, report);
  if (value !== undefined && Object.keys(input).length > 1) {
    report(`${field}/value`, 'an input with a "value" is fed nothing else', 'keep "value" alone');
  }
  if (tokenize?.padding === 'max-length' && tokenize.maxLength === undefined) {
    report(`${field}/tokenize/padding`, 'padding to max-length needs "maxLength"', 'such as maxLength: 128');
  }
  if (scale !== undefined && !Number.isFinite(numberOf(scale))) {
    report(`${field}/scale`, `"scale" is ${scale}, which is no number`, 'such as 1/255');
  }
}

function reportResize(resize: NonNullable<InputSource['resize']>, field: string, report: Report): void {
  const { shortSide, width, height, letterbox, fill, align } = resize;
  const ways = [shortSide, width ?? height, letterbox].filter((way) => way !== undefined).length;
  if (ways !== 1 || (width === undefined) !== (height === undefined)) {
    report(
      field,
      '"resize" needs exactly one of shortSide, width with height, and letterbox',
      'such as resize: { shortSide: 256 }',
    );
  } else if (letterbox === undefined && (fill ?? align) !== undefined) {
    report(
      `${field}/${fill === undefined ? 'align' : 'fill'}`,
      '"fill" and "align" say what is around a letterbox',
      'leave them out, or resize by letterbox',
    );
  }
}
