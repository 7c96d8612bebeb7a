import { attemptAsync, type Problem, ProblemError } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { type LiftReport, liftOpset } from '../lift-opset/lift-opset.ts';
import type { LiftProblemKind } from '../lift-opset/rewriting.ts';
import type { OnnxModel } from '../model-file.ts';
import type { OpenModel } from '../open-model.ts';
import type { TensorDataProblemKind } from '../tensor-data.ts';
import { constantsToInitializers } from './constants-to-initializers.ts';
import { eliminateDead } from './eliminate-dead.ts';
import { foldBatchNorm } from './fold-batch-norm.ts';
import { foldBiasAdd } from './fold-bias-add.ts';
import { foldInputNorm } from './fold-input-norm.ts';
import { foldScale } from './fold-scale.ts';
import { type InlineFunctionsResult, inlineFunctions } from './inline-functions.ts';
import { inputsAreNotInitializers } from './inputs-are-not-initializers.ts';
import { mergeDuplicates } from './merge-duplicates.ts';
import { addResults, type PassResult, passResult } from './pass-result.ts';
import { simplify } from './simplify.ts';

export interface PreparationOptions {
  /**
   * Fold what scales and shifts channels into the operator beside it (default true), which rounds differently.
   * Everything else keeps what is computed.
   */
  readonly fold?: boolean;
  /**
   * The runtime that computes constants. Without one, nodes that compute constants stay. The values are exact; a node
   * that reads a constant now may be computed by another kernel, which rounds differently.
   */
  readonly open?: OpenModel;
}

/** What each step of the preparation did, in the order in which they ran first. */
export interface PreparationReport {
  readonly inputsAreNotInitializers: PassResult;
  readonly inlineFunctions: InlineFunctionsResult;
  readonly constantsToInitializers: PassResult;
  readonly liftOpset: LiftReport;
  readonly eliminateIdentity: PassResult;
  readonly foldConstants: PassResult;
  readonly inlineConstantIfs: PassResult;
  readonly foldBiasAdd: PassResult;
  readonly foldScale: PassResult;
  readonly foldBatchNorm: PassResult;
  readonly foldInputNorm: PassResult;
  readonly mergeDuplicates: PassResult;
  readonly eliminateDead: PassResult;
}

export type PreparationProblemKind = LiftProblemKind | TensorDataProblemKind;

/**
 * Makes a model ready to be quantized: opset 13 or newer, plain nodes instead of calls of functions, every constant an
 * initializer, what is always the same computed, no node in the way of a pattern, no BatchNormalization that a Conv
 * could carry. Inputs and outputs keep names, types and order, save for initializers that were listed as inputs.
 *
 * Changes the model in place; when the result is a problem, the model is left half-way and must not be used further.
 */
export function prepareModel(
  model: OnnxModel,
  options: PreparationOptions = {},
): Promise<Result<PreparationReport, Problem<PreparationProblemKind>>> {
  return attemptAsync(() => prepare(model, options));
}

async function prepare(model: OnnxModel, { fold = true, open }: PreparationOptions) {
  const inputs = inputsAreNotInitializers(model);
  // Lifting needs the attributes that nodes of a function get from its call.
  const calls = inlineFunctions(model);
  const constants = constantsToInitializers(model);
  const lift = must(liftOpset(model));
  // Functions of another opset than the model may have been lifted to the same.
  const liftedCalls = inlineFunctions(model);
  const simplified = await simplify(model, open);
  const folded = fold ? foldChannels(model) : NOTHING_FOLDED;
  // Only now, because a result with more than one reader cannot be folded into.
  const merged = mergeDuplicates(model);
  return {
    inputsAreNotInitializers: inputs,
    inlineFunctions: { ...addResults(calls, liftedCalls), left: liftedCalls.left },
    constantsToInitializers: addResults(constants, simplified.constants),
    liftOpset: lift,
    eliminateIdentity: simplified.identities,
    foldConstants: simplified.folded,
    inlineConstantIfs: simplified.inlined,
    ...folded,
    mergeDuplicates: merged,
    eliminateDead: eliminateDead(model),
  };
}

type FoldedChannels = Pick<
  PreparationReport,
  'foldBiasAdd' | 'foldScale' | 'foldBatchNorm' | 'foldInputNorm'
>;

const NOTHING_FOLDED: FoldedChannels = {
  foldBiasAdd: passResult(0),
  foldScale: passResult(0),
  foldBatchNorm: passResult(0),
  foldInputNorm: passResult(0),
};

/** Folds until nothing is left: a Conv that took up a Mul may have an Add behind it now. */
function foldChannels(model: OnnxModel): FoldedChannels {
  let total = NOTHING_FOLDED;
  for (;;) {
    const round = {
      foldBiasAdd: must(foldBiasAdd(model)),
      foldScale: must(foldScale(model)),
      foldBatchNorm: must(foldBatchNorm(model)),
      foldInputNorm: must(foldInputNorm(model)),
    };
    total = {
      foldBiasAdd: addResults(total.foldBiasAdd, round.foldBiasAdd),
      foldScale: addResults(total.foldScale, round.foldScale),
      foldBatchNorm: addResults(total.foldBatchNorm, round.foldBatchNorm),
      foldInputNorm: addResults(total.foldInputNorm, round.foldInputNorm),
    };
    if (!Object.values(round).some(({ modified }) => modified)) return total;
  }
}

function must<T, K extends string>(result: Result<T, Problem<K>>): T {
  if (!result.ok) throw new ProblemError(result.error);
  return result.value;
}
