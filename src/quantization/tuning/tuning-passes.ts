import { biasCorrection } from './bias-correction/bias-correction.ts';
import { empiricalBiasCorrection } from './bias-correction/empirical-bias-correction.ts';
import { equalization } from './equalization/equalization.ts';
import { learnedRounding } from './learned-rounding.ts';
import { mixedPrecision } from './mixed-precision.ts';
import { outputRanges } from './output-ranges/output-ranges.ts';
import type { TuningLevel } from './tuning-level.ts';
import type { TuningPass } from './tuning-pass.ts';
import { weightScales } from './weight-scales/weight-scales.ts';

/** The passes in the order in which they run: first those that rewrite the float model, as whatever is found holds for it alone. */
const PASSES: readonly { readonly pass: TuningPass; readonly from: 'fast' | 'full' }[] = [
  { pass: weightScales, from: 'fast' },
  { pass: equalization, from: 'fast' },
  { pass: outputRanges, from: 'full' },
  { pass: learnedRounding, from: 'fast' },
  { pass: biasCorrection, from: 'full' },
  { pass: empiricalBiasCorrection, from: 'full' },
];

/** The passes of a level and, last, the one that leaves layers float32 where a goal asks for it. */
export function tuningPasses({
  tune,
  minSqnrDb,
}: {
  readonly tune: TuningLevel;
  readonly minSqnrDb?: number;
}): readonly TuningPass[] {
  const passes = PASSES.filter(({ from }) => tune === 'full' || tune === from).map(({ pass }) => pass);
  return minSqnrDb === undefined ? passes : [...passes, mixedPrecision(minSqnrDb)];
}
