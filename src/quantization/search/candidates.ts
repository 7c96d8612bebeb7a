import {
  type CalibrationSettings,
  completeRecipe,
  type Recipe,
  type RecipeRequest,
  type StaticRecipe,
} from '../recipe.ts';
import { targetRefusal } from '../target-refusal.ts';
import type { Target } from '../targets.ts';

/** How much work it is to make a candidate. */
export type CandidateEffort = 'plain' | 'fast' | 'full' | 'mixed';

/** A recipe that may be the best one. */
export interface SearchCandidate {
  /** As people read it; no two candidates of a search have the same. */
  readonly label: string;
  /** Candidates of one family run the same kernels, so that among them accuracy decides. */
  readonly family: string;
  readonly effort: CandidateEffort;
  readonly recipe: Recipe;
}

/** A recipe that is not tried, and why. */
export interface LeftOut {
  readonly label: string;
  readonly reason: string;
}

export interface CandidateList {
  readonly candidates: readonly SearchCandidate[];
  readonly leftOut: readonly LeftOut[];
}

/** What holds for all candidates of a search. */
export interface SearchScope extends Pick<RecipeRequest, 'include' | 'exclude'> {
  readonly target: Target;
}

/** What the latency gate of the first static candidate found, which holds for all that have the same kernels. */
export type GateFinding =
  | { readonly kind: 'not-gated' }
  | { readonly kind: 'gated'; readonly leftNodes: readonly string[] }
  /** No int8 model is as fast as float32 here. */
  | { readonly kind: 'slower'; readonly reason: string };

const INT8: StaticRecipe['format'] = 'static-int8';

/**
 * The candidate whose latency gate decides for all static ones which nodes stay float: with measurements of its own for each
 * of them, candidates would differ by noise. None where the target takes no static int8.
 */
export function firstCandidates(scope: SearchScope): CandidateList {
  return allowed([staticCandidate('static-int8 mse', { ...scope, format: INT8 })]);
}

const METHODS = ['minmax', 'moving-average', 'percentile', 'entropy', 'mse'] as const;

/** Calibrations of other candidates that are told by the same samples; none where a recipe needs none. */
export function furtherCalibrations(recipe: Recipe): readonly CalibrationSettings[] {
  if (!isStatic(recipe)) return [];
  const { calibration } = recipe;
  return METHODS.filter((method) => method !== calibration.method).map((method) => ({
    ...calibration,
    method,
  }));
}

/** All others that need no tuning. @param gate what the first candidate found */
export function plainCandidates(scope: SearchScope, gate: GateFinding): CandidateList {
  const int4 = (algorithm: 'rtn' | 'hqq' | 'gptq') =>
    plain(`weight-int4 ${algorithm}`, 'weight-int4', { ...scope, format: 'weight-int4', algorithm });
  const int16 = int16Candidates(scope);
  // One of each kind first, so that a search that has little time has seen them all.
  const rest = allowed([
    plain('dynamic-int8', 'dynamic-int8', { ...scope, format: 'dynamic-int8' }),
    plain('weight-int8', 'weight-int8', { ...scope, format: 'weight-int8' }),
    int4('rtn'),
    plain('float16', 'float16', { ...scope, format: 'float16' }),
    ...staticCandidates(scope, gate),
    int4('hqq'),
    int4('gptq'),
  ]);
  return {
    candidates: [...rest.candidates, ...int16.candidates],
    leftOut: [...rest.leftOut, ...int16.leftOut, ...(gate.kind === 'slower' ? [slowMethods(gate)] : [])],
  };
}

function staticCandidates(scope: SearchScope, gate: GateFinding): readonly SearchCandidate[] {
  const request = { ...gatedScope(scope, gate), format: INT8, latencyGate: 'off' } as const;
  // Where int8 is slower one of them is enough, for the size of the file.
  if (gate.kind === 'slower') return [staticCandidate('static-int8 mse, all of it in int8', request)];
  const settings = [false, true].flatMap((perTensor) =>
    METHODS.map((method) => ({
      label: `static-int8 ${method}${perTensor ? ', per tensor' : ''}`,
      request: { ...request, calibration: { method }, perTensor },
    })),
  );
  return settings
    .filter(({ label }) => label !== 'static-int8 mse')
    .map(({ label, request: of }) => staticCandidate(label, of));
}

function slowMethods({ reason }: GateFinding & { readonly kind: 'slower' }): LeftOut {
  return { label: 'other methods of static-int8', reason: `none would be faster: ${reason}` };
}

/** Nodes that the gate left float stay so in every candidate. */
function gatedScope(scope: SearchScope, gate: GateFinding): SearchScope {
  if (gate.kind !== 'gated' || gate.leftNodes.length === 0) return scope;
  const { exclude } = scope;
  return { ...scope, exclude: { ...exclude, nodes: [...(exclude?.nodes ?? []), ...gate.leftNodes] } };
}

function int16Candidates(scope: SearchScope): CandidateList {
  const label = 'static-int16';
  if (scope.target === 'cpu') {
    const reason =
      'the CPU provider computes between 16-bit roundings in float32, so it is slower than float32';
    return { candidates: [], leftOut: [{ label, reason }] };
  }
  const request = { ...scope, format: 'static-int16' } as const;
  return allowed([plain(label, label, request)]);
}

/** All nodes in int8 that can be: slower where the gate left some float, and a smaller file. */
export function ungatedCandidates(best: SearchCandidate, scope: SearchScope): CandidateList {
  const { recipe } = best;
  if (!isStatic(recipe)) return { candidates: [], leftOut: [] };
  const { exclude } = completeRecipe({ format: INT8, ...scope });
  const candidate: SearchCandidate = {
    ...best,
    label: `${best.label}, all of it in int8`,
    family: 'static-int8, all of it',
    recipe: { ...recipe, exclude, latencyGate: 'off' },
  };
  return { candidates: [candidate], leftOut: [] };
}

/** The same with passes that keep accuracy; the name of the candidate alone where its recipe cannot be tuned. */
export function tunedCandidate(of: SearchCandidate, tune: 'fast' | 'full'): SearchCandidate | undefined {
  const { recipe } = of;
  if (!isStatic(recipe)) return undefined;
  const { tune: _, latencyGate: __, ...rest } = recipe;
  const label = `${of.label.replace(/, tune \w+/, '')}, tune ${tune}`;
  return { ...of, label, effort: tune, recipe: { ...rest, latencyGate: 'off', tune } };
}

/** How much more SQNR each level of mixed precision is to have than all int8, in dB. */
const MIXED_GAINS_DB = [3, 6, 10] as const;
const MOST_SQNR_DB = 100;

/** The same with layers that stay float32, as few as more accurate outputs take. @param sqnrDb what it has without */
export function mixedCandidates(of: SearchCandidate, sqnrDb: number): readonly SearchCandidate[] {
  const { recipe } = of;
  if (!isStatic(recipe)) return [];
  return MIXED_GAINS_DB.map((gainDb) => Math.round(sqnrDb + gainDb))
    .filter((goalDb) => goalDb > 0 && goalDb <= MOST_SQNR_DB)
    .map((goalDb) => ({
      label: `${of.label}, mixed for ${goalDb} dB`,
      family: `static-int8 mixed for ${goalDb} dB`,
      effort: 'mixed',
      recipe: { ...recipe, latencyGate: 'off', minSqnrDb: goalDb },
    }));
}

/** The recipe of a candidate made after the gate has spoken, where it is that of the gate itself. */
export function afterGate(of: SearchCandidate, scope: SearchScope, gate: GateFinding): SearchCandidate {
  const { recipe } = of;
  if (!isStatic(recipe) || recipe.latencyGate === 'off') return of;
  const { exclude } = completeRecipe({ format: INT8, ...gatedScope(scope, gate) });
  return { ...of, recipe: { ...recipe, exclude, latencyGate: 'off' } };
}

export function isStatic(recipe: Recipe): recipe is StaticRecipe {
  return recipe.format === 'static-int8' || recipe.format === 'static-int16';
}

function staticCandidate(label: string, request: RecipeRequest): SearchCandidate {
  return plain(label, 'static-int8', request);
}

function plain(label: string, family: string, request: RecipeRequest): SearchCandidate {
  return { label, family, effort: 'plain', recipe: completeRecipe(request) };
}

/** Those that make sense for their target; the others are left out for the reason that `quantize` would give. */
function allowed(candidates: readonly SearchCandidate[]): CandidateList {
  const refusals = candidates.map(({ recipe }) => targetRefusal(recipe));
  return {
    candidates: candidates.filter((_, at) => refusals[at] === undefined),
    leftOut: candidates.flatMap(({ label }, at) => {
      const refused = refusals[at];
      return refused === undefined ? [] : [{ label, reason: refused.message }];
    }),
  };
}
