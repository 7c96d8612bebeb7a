import { invalidSetting } from './problems.ts';
import type { SelectionSettings } from './settings.ts';

/** Throws a `ProblemError` that names the first setting that cannot be used. */
export function checkSelection(settings: SelectionSettings): void {
  for (const name of ['scoreThreshold', 'iouThreshold', 'displayThreshold'] as const) {
    const value = settings[name];
    if (value === undefined || (value >= 0 && value <= 1)) continue;
    throw invalidSetting(`/${name}`, `${name} is ${value}`, 'give a number from 0 to 1');
  }
  const { maxDetections, categories, input } = settings;
  if (maxDetections !== undefined && !(Number.isInteger(maxDetections) && maxDetections > 0)) {
    throw invalidSetting('/maxDetections', `maxDetections is ${maxDetections}`, 'give a whole number from 1');
  }
  const wrong = categories?.findIndex((category) => !Number.isInteger(category) || category < -1) ?? -1;
  if (wrong !== -1) {
    throw invalidSetting(
      `/categories/${wrong}`,
      `${categories?.[wrong]} is no category`,
      'give the number of a category from 0, or -1 to leave the class out',
    );
  }
  if (input !== undefined && !(input.width > 0 && input.height > 0)) {
    throw invalidSetting(
      '/input',
      `${input.width} × ${input.height} pixels are no size`,
      'give a width and height',
    );
  }
}
