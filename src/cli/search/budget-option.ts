import { didYouMean } from '../../config/did-you-mean.ts';
import { knownMetrics, type ProfileTask } from '../../config/task.ts';
import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { EvaluationBudget } from '../../jobs/evaluate-task.ts';

/** Metrics of which less is better, in the names that tasks give them. */
const LOWER_IS_BETTER: ReadonlySet<string> = new Set(['mae', 'rmse', 'mape', 'wer', 'cer', 'hamming_loss']);

const FORM = /^\s*([a-z][a-z0-9_]*)\s*(>=|<=)\s*([+-]?)\s*(\d+(?:\.\d+)?)\s*(pt|%|dB)?\s*$/;

const EXAMPLES =
  'write what may be lost: "top1>=-1pt" (one point), "top1>=-1%" (of the float32 figure), "wer<=+0.5pt", "agreement>=99%", "sqnr_db>=25"';

/**
 * Reads `--budget`: a metric and how far it may fall behind float32 (`>=-`), or rise where less is better (`<=+`); the least
 * agreement or SQNR. Problem: `bad-usage`.
 */
export function parseBudget(text: string, task: ProfileTask): Result<EvaluationBudget, Problem<'bad-usage'>> {
  const [, metric, comparison, sign = '', digits, unit] = FORM.exec(text.replace('−', '-')) ?? [];
  if (metric === undefined || digits === undefined) {
    return bad(`the budget '${text}' cannot be read`, EXAMPLES);
  }
  const known = knownMetrics(task);
  if (known !== undefined && !known.includes(metric)) {
    const meant = didYouMean(metric, known);
    return bad(
      `the task ${task.name} has no metric '${metric}'`,
      meant === undefined ? `it has ${known.join(', ')}` : `did you mean '${meant}'?`,
    );
  }
  const value = Number(digits);
  if (metric === 'sqnr_db') return sqnrBudget(text, { comparison, sign, unit, value });
  if (unit === 'dB') return bad(`'${metric}' is not measured in dB`, EXAMPLES);
  if (metric === 'agreement' && sign === '' && comparison === '>=') return agreementBudget(unit, value);
  return lossBudget(metric, { comparison, sign, unit, value });
}

interface Parts {
  readonly comparison: string | undefined;
  readonly sign: string;
  readonly unit: string | undefined;
  readonly value: number;
}

function sqnrBudget(
  text: string,
  { comparison, sign, unit, value }: Parts,
): Result<EvaluationBudget, Problem<'bad-usage'>> {
  if (comparison !== '>=' || sign !== '' || (unit !== undefined && unit !== 'dB'))
    return bad(`the budget '${text}' cannot be read`, 'an SQNR has a least value in dB: "sqnr_db>=25"');
  return ok({ metric: 'sqnr_db', atLeast: value });
}

/** The share of answers that must be kept: float32 agrees with itself on all. */
function agreementBudget(
  unit: string | undefined,
  value: number,
): Result<EvaluationBudget, Problem<'bad-usage'>> {
  const least = unit === undefined ? value : value / 100;
  if (unit === 'pt' || least > 1)
    return bad(`an agreement is at most 100 %`, 'write "agreement>=99%" or "agreement>=-1pt"');
  // Shares are written with few decimals, and their complement is to have as few.
  return ok({ metric: 'agreement', absolute: Number((1 - least).toFixed(6)) });
}

function lossBudget(
  metric: string,
  { comparison, sign, unit, value }: Parts,
): Result<EvaluationBudget, Problem<'bad-usage'>> {
  const isLower = LOWER_IS_BETTER.has(metric);
  const wanted = isLower ? '<=+' : '>=-';
  if (`${comparison}${sign}` !== wanted && !(comparison === wanted.slice(0, 2) && value === 0)) {
    const better = isLower ? 'less' : 'more';
    return bad(
      `of '${metric}' ${better} is better, and a budget says how far it may get from float32`,
      `write "${metric}${wanted}1pt", or "${metric}${wanted}1%" of the float32 figure`,
    );
  }
  if (unit === '%') return ok({ metric, relative: value / 100 });
  return ok({ metric, absolute: unit === 'pt' ? value / 100 : value });
}

function bad(message: string, hint: string): Result<never, Problem<'bad-usage'>> {
  return err(problem('bad-usage', message, { hint }));
}
