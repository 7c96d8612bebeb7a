const SECONDS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1e-3, s: 1, m: 60, h: 3600 };

/** What a duration looks like in a settings file: `500ms`, `4s`, `1.5m`, `1h`. */
export const DURATION_PATTERN = '^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$';

/** Seconds of a duration such as `500ms`, `4s`, `2m` or `1h`; undefined for any other text. */
export function parseDurationSeconds(text: string): number | undefined {
  const match = /^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)$/.exec(text);
  const factor = SECONDS_PER_UNIT[match?.[2] ?? ''];
  return match === null || factor === undefined ? undefined : Number(match[1]) * factor;
}
