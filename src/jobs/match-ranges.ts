import { didYouMean } from '../config/did-you-mean.ts';
import { joinPointer } from '../config/yaml-document.ts';
import { ProblemError, problem } from '../core/problem.ts';
import type { ValueRange } from '../quantization/affine.ts';
import type { GraphView } from '../quantization/graph-view.ts';
import type { SavedRanges } from './saved-ranges.ts';

/** Throws `ProblemError` `ranges-of-another-model` where the ranges were found on other bytes than the model has. */
export function requireSameModel(
  file: string,
  { model }: SavedRanges,
  modelPath: string,
  modelDigest: string,
): void {
  if (model.sha256 === modelDigest) return;
  throw new ProblemError(
    problem('ranges-of-another-model', `the ranges were found on another model than ${modelPath}`, {
      place: { file, field: '/model/sha256' },
      hint:
        `they belong to ${model.file} (${model.sha256.slice(0, 12)}…), this model is ${modelDigest.slice(0, 12)}…; ` +
        'calibrate again, or say --ranges-any-model where the two differ in nothing that matters',
    }),
  );
}

/**
 * The saved ranges of `tensors`. Others in the file are left alone as long as the model has them: a variant that
 * quantizes less needs less. Throws `ProblemError` `range-missing` and `range-of-unknown-tensor`, which name the tensor.
 */
export function chooseRanges(
  { tensors: saved }: SavedRanges,
  tensors: readonly string[],
  view: GraphView,
  file: string,
): ReadonlyMap<string, ValueRange> {
  const known = tensorNames(view);
  const unknown = Object.keys(saved).filter((name) => !known.has(name));
  const chosen = new Map<string, ValueRange>();
  for (const tensor of tensors) {
    const range = Object.hasOwn(saved, tensor) ? saved[tensor] : undefined;
    if (range === undefined) throw missing(file, tensor, unknown);
    chosen.set(tensor, { min: range.min, max: range.max });
  }
  const [stranger] = unknown;
  if (stranger === undefined) return chosen;
  throw new ProblemError(
    problem('range-of-unknown-tensor', `the prepared model has no tensor '${stranger}'`, {
      place: { file, field: joinPointer('/tensors', stranger), tensor: stranger },
      hint: 'correct the name, remove the line, or calibrate again',
    }),
  );
}

function missing(file: string, tensor: string, unknown: readonly string[]): ProblemError {
  const meant = didYouMean(tensor, unknown);
  return new ProblemError(
    problem('range-missing', `there is no range for the tensor '${tensor}', which is to be quantized`, {
      place: { file, tensor },
      hint:
        meant === undefined
          ? 'calibrate again with --save-ranges and this recipe, or add a line for it'
          : `'${meant}' is there, which the model does not have: is it this one?`,
    }),
  );
}

function tensorNames({ graph }: GraphView): ReadonlySet<string> {
  return new Set([
    ...graph.input.map(({ name }) => name ?? ''),
    ...graph.initializer.map(({ name }) => name ?? ''),
    ...graph.node.flatMap(({ output }) => output),
  ]);
}
