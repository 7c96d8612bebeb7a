import type { LabelSpec } from '../../core/data-spec.ts';
import { invalid } from './parse-truth.ts';

/** Throws a `ProblemError` where a setting is given that would have no effect, and so hints at a misunderstanding. */
export function refuseSettings(
  labels: LabelSpec | undefined,
  settings: readonly (keyof LabelSpec)[],
  because: string,
  file: string,
): void {
  const given = settings.find((setting) => labels?.[setting] !== undefined);
  if (given === undefined) return;
  throw invalid(
    `\`labels.${given}\` has no effect here: ${because}`,
    { file, field: `/labels/${given}` },
    {
      hint: 'leave it out',
    },
  );
}
