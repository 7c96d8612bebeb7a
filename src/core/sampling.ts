/** How often the host is sampled meanwhile: not at all, once a second, or so many times a second. */
export type Sampling = 'off' | 'slow' | `${number}hz`;

/** `off`, `slow`, `1hz` to `100hz`. */
export const SAMPLING_PATTERN = '^(?:off|slow|(?:[1-9][0-9]?|100)hz)$';

export const SAMPLING_FORM = 'off, slow (once a second), or 1hz to 100hz';

/** While a job runs, unless it asks for another. */
export const DEFAULT_SAMPLING: Sampling = '10hz';

const FORM = new RegExp(SAMPLING_PATTERN);

export function isSampling(text: string): text is Sampling {
  return FORM.test(text);
}

/** The time between two samples; null where none is taken. */
export function samplingIntervalMs(sampling: Sampling): number | null {
  if (sampling === 'off') return null;
  return sampling === 'slow' ? 1_000 : 1_000 / Number.parseInt(sampling, 10);
}
