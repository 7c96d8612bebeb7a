import {
  afterGate,
  type CandidateList,
  firstCandidates,
  type GateFinding,
  isStatic,
  mixedCandidates,
  plainCandidates,
  type SearchScope,
  tunedCandidate,
  ungatedCandidates,
} from '../../quantization/search/candidates.ts';
import { rankByAccuracy } from './rank-by-accuracy.ts';
import type { SearchEntry, SearchStage } from './run-search.ts';

type Entries = readonly Readonly<SearchEntry>[];

const NOTHING: CandidateList = { candidates: [], leftOut: [] };
const EVERYTHING = Number.POSITIVE_INFINITY;
/** Candidates that need no tuning, the first left out: see `plainCandidates`. */
const PLAIN_COUNT = 15;
const MIXED_LEVELS = 3;

/**
 * The stages of a search: what is cheap to make comes first, and what costs much is made only of what promises most. Expensive
 * passes are for static recipes; the others have none.
 */
export function searchStages(scope: SearchScope): readonly SearchStage[] {
  return [
    {
      name: 'kernels',
      expected: ['plain'],
      next: () => firstCandidates(scope),
      survivors: EVERYTHING,
    },
    {
      name: 'recipes',
      expected: Array.from({ length: PLAIN_COUNT }, () => 'plain' as const),
      next: (entries) => plainCandidates(scope, gateFinding(entries)),
      survivors: 'half',
      timeShare: 0.4,
    },
    {
      name: 'tuning',
      expected: ['fast', 'fast'],
      next: (entries) => tuned(scope, entries, { level: 'fast', count: 2 }),
      survivors: 3,
    },
    {
      name: 'tuning',
      expected: ['full'],
      next: (entries) => tuned(scope, entries, { level: 'full', count: 1 }),
      survivors: 2,
    },
    ...Array.from(
      { length: MIXED_LEVELS },
      (_, level): SearchStage => ({
        name: 'mixed precision',
        expected: ['mixed'],
        next: (entries) => mixed(scope, entries, level),
        survivors: EVERYTHING,
      }),
    ),
    {
      name: 'all in int8',
      expected: [],
      next: (entries) => ungated(scope, entries),
      survivors: EVERYTHING,
    },
  ];
}

function gateFinding(entries: Entries): GateFinding {
  const first = entries[0];
  if (first?.failure?.kind === 'int8-not-faster') return { kind: 'slower', reason: first.failure.message };
  const gate = first?.built?.gate;
  return gate === undefined ? { kind: 'not-gated' } : { kind: 'gated', leftNodes: gate.leftNodes };
}

/** Static candidates that are in the running, the most accurate first. */
function bestStatic(entries: Entries): Entries {
  const running = entries.filter(
    ({ candidate, accuracy, eliminated, failure }) =>
      isStatic(candidate.recipe) &&
      accuracy !== undefined &&
      eliminated === undefined &&
      failure === undefined,
  );
  return rankByAccuracy(running);
}

function tuned(
  scope: SearchScope,
  entries: Entries,
  { level, count }: { readonly level: 'fast' | 'full'; readonly count: number },
): CandidateList {
  const gate = gateFinding(entries);
  const candidates = bestStatic(entries)
    .slice(0, count)
    .flatMap(({ candidate }) => tunedCandidate(afterGate(candidate, scope, gate), level) ?? []);
  return { candidates, leftOut: [] };
}

/** The next level of mixed precision, as long as no static candidate is seen to keep the budget. */
function mixed(scope: SearchScope, entries: Entries, level: number): CandidateList {
  const of = bestStatic(entries);
  const base = of.find(({ candidate }) => candidate.effort !== 'mixed');
  if (base?.accuracy?.sqnrDb == null) return NOTHING;
  const gated = afterGate(base.candidate, scope, gateFinding(entries));
  const candidate = mixedCandidates(gated, base.accuracy.sqnrDb)[level];
  const good = of.find(({ accuracy }) => accuracy?.standing === 'kept' || accuracy?.standing === 'undecided');
  if (candidate === undefined || (good !== undefined && level > 0)) return NOTHING;
  if (good === undefined) return { candidates: [candidate], leftOut: [] };
  const reason = `${good.candidate.label} keeps the budget without, as far as can be seen`;
  return { candidates: [], leftOut: [{ label: 'mixed precision', reason }] };
}

/** For the size of the file, where the latency gate left nodes float. */
function ungated(scope: SearchScope, entries: Entries): CandidateList {
  const gate = gateFinding(entries);
  const [best] = bestStatic(entries).filter(({ candidate }) => candidate.effort !== 'mixed');
  if (best === undefined || gate.kind !== 'gated' || gate.leftNodes.length === 0) return NOTHING;
  return ungatedCandidates(best.candidate, scope);
}
