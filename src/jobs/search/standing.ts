import { clopperPearsonUpperBound } from '../../evaluation/proportion.ts';
import type { ModelEvaluation } from '../evaluate-task.ts';
import type { AccuracyFigures, Standing } from './measured-candidate.ts';

type Evaluated = Pick<
  ModelEvaluation,
  | 'n'
  | 'metric'
  | 'figures'
  | 'agreement'
  | 'agreementInterval'
  | 'groups'
  | 'paired'
  | 'resampled'
  | 'allowedDrop'
  | 'sqnrDb'
  | 'verdict'
  | 'verdictReason'
>;

/** What an evaluation says of a candidate, in the figures by which candidates are chosen. @param atLeastDb of a budget of SQNR */
export function accuracyOf(evaluation: Evaluated, atLeastDb?: number): AccuracyFigures {
  const { n, agreement, sqnrDb, verdictReason } = evaluation;
  const found = lossFigures(evaluation, atLeastDb);
  // Of outputs that are no numbers nothing is known to be kept.
  const figures = evaluation.verdict === 'invalid' ? { ...found, loss: null, lossUpperBound: null } : found;
  return {
    samples: n,
    ...figures,
    ...(agreement === undefined ? {} : { agreement }),
    sqnrDb,
    standing: standingOf(evaluation, figures),
    reason: verdictReason,
  };
}

type LossFigures = Pick<
  AccuracyFigures,
  'metric' | 'value' | 'reference' | 'loss' | 'lossUpperBound' | 'allowed'
>;

function lossFigures(evaluated: Evaluated, atLeastDb: number | undefined): LossFigures {
  const { metric = 'sqnr_db', figures = [], agreement, paired, resampled, allowedDrop, sqnrDb } = evaluated;
  if (metric === 'sqnr_db') {
    // There is nothing to be unsure of: the figure is that of these samples.
    const loss = atLeastDb === undefined || sqnrDb === null ? 0 : Math.max(0, atLeastDb - sqnrDb);
    return { metric, value: sqnrDb, reference: null, loss, lossUpperBound: loss, allowed: 0 };
  }
  const allowed = allowedDrop ?? 0;
  if (metric === 'agreement') {
    const loss = agreement === undefined ? null : 1 - agreement;
    const lossUpperBound = changeBound(evaluated);
    return { metric, value: agreement ?? null, reference: 1, loss, lossUpperBound, allowed };
  }
  const figure = figures.find(({ name }) => name === metric);
  return {
    metric,
    value: figure?.value ?? null,
    reference: figure?.reference ?? null,
    loss: paired?.drop ?? resampled?.loss ?? null,
    lossUpperBound: paired?.dropUpperBound ?? resampled?.upperBound ?? null,
    allowed,
  };
}

/** One-sided, as the verdict has it; of items in groups the interval's own end, which allows for them. */
function changeBound({ n, groups, agreement, agreementInterval }: Evaluated): number | null {
  if (agreement === undefined || agreementInterval === undefined) return null;
  if (groups !== undefined) return 1 - agreementInterval.lower;
  return clopperPearsonUpperBound(Math.round((1 - agreement) * n), n, agreementInterval.confidence);
}

/** Differences of shares are not exact in binary. */
const ROUNDING = 1e-9;

function standingOf({ verdict }: Evaluated, { loss, allowed }: LossFigures): Standing {
  switch (verdict) {
    case 'non_inferior':
    case 'degraded_within_budget':
      return 'kept';
    case 'regressed':
    case 'invalid':
      return 'missed';
    case 'inconclusive':
      return loss !== null && loss <= allowed + ROUNDING ? 'undecided' : 'doubtful';
  }
}
