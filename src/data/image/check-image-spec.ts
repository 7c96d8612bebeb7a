import type { ImageSpec, InputSpec } from '../../core/data-spec.ts';
import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { MAX_PIXELS } from './pixel-image.ts';

export type PreprocessProblem = Problem<'preprocess-invalid'>;

/** Refuses settings that no picture can be prepared with; the first problem is the error, its place the field. */
export function checkImageSpec(spec: InputSpec): Result<undefined, PreprocessProblem> {
  const image = spec.image ?? {};
  const [first] = [
    ...checkResize(image.resize, '/image/resize'),
    ...(image.crop === undefined ? [] : checkSize(image.crop, '/image/crop')),
    ...checkValues(spec, image.channels === 'gray' ? 1 : 3),
  ];
  return first === undefined ? ok(undefined) : err(first);
}

function checkResize(resize: ImageSpec['resize'], field: string): readonly PreprocessProblem[] {
  if (resize === undefined) return [];
  if ('shortSide' in resize) return checkSide(resize.shortSide, `${field}/shortSide`);
  if (!('letterbox' in resize)) return checkSize(resize, field);
  const { fill } = resize;
  const fillIsPixel = fill === undefined || (Number.isInteger(fill) && fill >= 0 && fill <= 255);
  return [
    ...checkSize(resize.letterbox, `${field}/letterbox`),
    ...(fillIsPixel
      ? []
      : [
          invalid(
            `a letterbox cannot be filled with ${fill}`,
            `${field}/fill`,
            'give a pixel value: 0 to 255',
          ),
        ]),
  ];
}

function checkSize(
  { width, height }: { readonly width: number; readonly height: number },
  field: string,
): readonly PreprocessProblem[] {
  const sides = [...checkSide(width, `${field}/width`), ...checkSide(height, `${field}/height`)];
  if (sides.length > 0 || width * height <= MAX_PIXELS) return sides;
  return [
    invalid(
      `a picture of ${width} by ${height} pixels is too large to be prepared`,
      field,
      `ask for ${MAX_PIXELS} pixels at most`,
    ),
  ];
}

function checkSide(side: number, field: string): readonly PreprocessProblem[] {
  if (Number.isInteger(side) && side > 0 && side <= MAX_PIXELS) return [];
  return [invalid(`no picture can have a side of ${side} pixels`, field, 'give a whole number from 1')];
}

function checkValues({ scale, mean, std }: InputSpec, channels: number): readonly PreprocessProblem[] {
  const problems = [...checkChannels(mean, channels, '/mean'), ...checkChannels(std, channels, '/std')];
  if (scale !== undefined && (!Number.isFinite(scale) || scale === 0)) {
    problems.push(
      invalid(`pixels cannot be multiplied by ${scale}`, '/scale', 'leave it out, or give 1/255'),
    );
  }
  // Division is done in float32, in which a tiny divisor is 0.
  if (std !== undefined && listed(std).some((value) => Math.fround(value) === 0)) {
    problems.push(invalid('pixels cannot be divided by 0', '/std', 'give the deviation of each channel'));
  }
  return problems;
}

function checkChannels(
  setting: number | readonly number[] | undefined,
  channels: number,
  field: string,
): PreprocessProblem[] {
  if (setting === undefined) return [];
  const values = listed(setting);
  const broken = values.find((value) => !Number.isFinite(value));
  if (broken !== undefined)
    return [invalid(`${broken} is not a number to compute with`, field, 'give a finite one')];
  if (typeof setting === 'number' || values.length === channels) return [];
  return [
    invalid(
      `there are ${values.length} numbers for ${channels === 1 ? 'one channel' : `${channels} channels`}`,
      field,
      channels === 1
        ? 'give one number, or `channels: rgb`'
        : 'give one number for all channels or one for each, in the order in which they are fed',
    ),
  ];
}

function listed(setting: number | readonly number[]): readonly number[] {
  return typeof setting === 'number' ? [setting] : setting;
}

function invalid(message: string, field: string, hint: string): PreprocessProblem {
  return problem('preprocess-invalid', message, { place: { field }, hint });
}
