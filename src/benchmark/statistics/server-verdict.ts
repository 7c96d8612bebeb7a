import { formatSeconds } from '../../core/units.ts';
import { minimumQueries, mostOverLatency } from '../early-stopping.ts';

/** Whether a percentile of the response times is within its bound, and how sure that is. */
export interface ServerVerdict {
  /**
   * `met`: shown with 99 % confidence. `missed`: already in these queries the percentile is above the bound.
   * `undecided`: it is within the bound in these queries, but they are too few to show it. MLPerf passes only the first.
   */
  readonly outcome: 'met' | 'missed' | 'undecided';
  /** A sentence with the figures that decided. */
  readonly reason: string;
  readonly boundNs: number;
  /** The percentile in thousandths. */
  readonly permille: number;
  readonly queries: number;
  /** Queries whose response took longer than the bound. */
  readonly overBound: number;
  /** As many of them as the rule allows; null where so few queries cannot show anything. */
  readonly allowance: number | null;
  /** Where undecided: as many queries would show it, if no more of them take longer than the bound. */
  readonly queriesNeeded: number | null;
}

/**
 * MLPerf's rule for the server scenario: the percentile is within the bound if the number of responses over it is at most
 * what early stopping allows for so many queries. The rule takes queries for independent, which those of a busy queue are
 * not; `percentileInterval` allows for that.
 *
 * Source: MLPerf Inference rules, "Server" and the appendix on early stopping.
 *
 * @param responseNs from due to done, in any order.
 * @param permille 990 in MLPerf, 970 for translation.
 */
export function serverVerdict(
  responseNs: Float64Array,
  { boundNs, permille = 990 }: { readonly boundNs: number; readonly permille?: number },
): ServerVerdict {
  const queries = responseNs.length;
  let overBound = 0;
  // A response that is not a number is not within the bound either.
  for (const response of responseNs) if (!(response <= boundNs)) overBound += 1;
  const allowance = mostOverLatency(queries, permille);
  const met = allowance !== null && overBound <= allowance;
  const missed = queries > 0 && overBound * 1000 > queries * (1000 - permille);
  const outcome = met ? 'met' : missed ? 'missed' : 'undecided';
  const queriesNeeded = outcome === 'undecided' ? minimumQueries(permille, overBound) : null;
  const figures = { boundNs, permille, queries, overBound, allowance, queriesNeeded };
  return { outcome, reason: reasonOf(outcome, figures), ...figures };
}

function reasonOf(
  outcome: ServerVerdict['outcome'],
  {
    boundNs,
    permille,
    queries,
    overBound,
    allowance,
    queriesNeeded,
  }: Omit<ServerVerdict, 'outcome' | 'reason'>,
): string {
  const count = `${overBound} of ${queries} queries took longer than ${formatSeconds(boundNs / 1e9)}`;
  const percentile = `${permille / 10}th percentile`;
  if (outcome === 'met') return `${count}, of ${allowance} allowed to show that the ${percentile} is below`;
  if (outcome === 'missed') return `${count}: the ${percentile} is above`;
  return `${count}: the ${percentile} is below in these, but to show it takes ${queriesNeeded} with no more over`;
}
