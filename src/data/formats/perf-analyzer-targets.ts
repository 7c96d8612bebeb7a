import type { DataSpec } from '../../core/data-spec.ts';
import type { ElementType } from '../../core/tensor.ts';
import { inputSpecOf } from '../bind-inputs.ts';
import { isFreeDim, type ModelInput } from '../sample-source.ts';

/** What the input that a field feeds says about its numbers, which a file of perf_analyzer does not. */
export interface FieldTarget {
  readonly input: string;
  readonly type: ElementType;
  /**
   * Of one sample without a shape of its own: the dims; `flat` where a list is all there is to it; `unknown` where the
   * input has several free dimensions, or one among others.
   */
  readonly row: readonly number[] | 'flat' | 'unknown';
}

/**
 * Which input each field feeds: the one of its name or that names it, or the only one where there is but one of both.
 * Inputs with a constant value need no field.
 */
export function fieldTargets(
  names: readonly string[],
  spec: DataSpec,
  modelInputs: readonly ModelInput[],
): ReadonlyMap<string, FieldTarget> {
  const targets = new Map<string, FieldTarget>();
  const fed = modelInputs.filter((input) => inputSpecOf(spec, input, modelInputs)?.value === undefined);
  const only = fed.length === 1 && names.length === 1 ? names[0] : undefined;
  for (const input of fed) {
    const steps = inputSpecOf(spec, input, modelInputs);
    const field = steps?.from ?? (names.includes(input.name) ? input.name : only);
    if (field === undefined) continue;
    // Pictures are bytes, whatever the model takes; and dims that the data names are put on afterwards.
    const row = steps?.dims === undefined ? rowOf(input.dims) : 'flat';
    const target = { input: input.name, type: input.type, row } as const;
    targets.set(field, steps?.image === undefined ? target : { ...target, type: 'uint8', row: 'unknown' });
  }
  return targets;
}

/** Without the leading axis, which a fed sample gets as 1 where it is there. */
function rowOf(dims: ModelInput['dims']): FieldTarget['row'] {
  if (dims === undefined) return 'flat';
  const [batch] = dims;
  const hasBatch = dims.length > 1 && batch !== undefined && (isFreeDim(batch) || batch === 1);
  const row = hasBatch ? dims.slice(1) : dims;
  if (row.length > 0 && !row.some(isFreeDim)) return row as readonly number[];
  return row.length <= 1 ? 'flat' : 'unknown';
}
