import type { Problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { type LiftReport, liftOpset } from '../lift-opset/lift-opset.ts';
import type { LiftProblemKind } from '../lift-opset/rewriting.ts';
import type { OnnxModel } from '../model-file.ts';
import type { TensorDataProblemKind } from '../tensor-data.ts';
import { constantsToInitializers } from './constants-to-initializers.ts';
import { eliminateDead } from './eliminate-dead.ts';
import { eliminateIdentity } from './eliminate-identity.ts';
import { foldBatchNorm } from './fold-batch-norm.ts';
import { foldBiasAdd } from './fold-bias-add.ts';
import { inputsAreNotInitializers } from './inputs-are-not-initializers.ts';
import { type PassResult, passResult } from './pass-result.ts';

export interface PreparationOptions {
  /**
   * Fold added biases and BatchNormalization into the operator before them (default true), which rounds differently.
   * Everything else keeps results bit for bit.
   */
  readonly fold?: boolean;
}

/** What each step of the preparation did, in the order in which they ran. */
export interface PreparationReport {
  readonly inputsAreNotInitializers: PassResult;
  readonly constantsToInitializers: PassResult;
  readonly liftOpset: LiftReport;
  readonly eliminateIdentity: PassResult;
  readonly foldBiasAdd: PassResult;
  readonly foldBatchNorm: PassResult;
  readonly eliminateDead: PassResult;
}

export type PreparationProblemKind = LiftProblemKind | TensorDataProblemKind;

/**
 * Makes a model ready to be quantized: every constant an initializer, opset 13 or newer, no node in the way of a
 * pattern, no BatchNormalization that a Conv could carry. Inputs and outputs keep names, types and order, save for
 * initializers that were listed as inputs.
 *
 * Changes the model in place; when the result is a problem, the model is left half-way and must not be used further.
 */
export function prepareModel(
  model: OnnxModel,
  options: PreparationOptions = {},
): Result<PreparationReport, Problem<PreparationProblemKind>> {
  const inputs = inputsAreNotInitializers(model);
  const constants = constantsToInitializers(model);
  const lift = liftOpset(model);
  if (!lift.ok) return err(lift.error);
  const identities = eliminateIdentity(model);
  const fold = options.fold ?? true;
  const biases = fold ? foldBiasAdd(model) : ok(passResult(0));
  if (!biases.ok) return err(biases.error);
  const norms = fold ? foldBatchNorm(model) : ok(passResult(0));
  if (!norms.ok) return err(norms.error);
  const dead = eliminateDead(model);
  return ok({
    inputsAreNotInitializers: inputs,
    constantsToInitializers: constants,
    liftOpset: lift.value,
    eliminateIdentity: identities,
    foldBiasAdd: biases.value,
    foldBatchNorm: norms.value,
    eliminateDead: dead,
  });
}
