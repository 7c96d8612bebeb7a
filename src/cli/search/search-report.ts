import { formatBytes, formatSeconds } from '../../core/units.ts';
import type { AccuracyFigures } from '../../jobs/search/measured-candidate.ts';
import type { CandidateResult, SearchResult } from '../../jobs/search/search-result.ts';
import { decimal, percent, renderTable } from '../table.ts';

const HEADER = [
  '',
  'candidate',
  'size',
  'SQNR dB',
  'agreement',
  'budget',
  'latency',
  'times as fast',
  'made in',
  '',
];

/** What a person wants to know after a search. */
export function renderSearch(result: SearchResult): string {
  const { output, candidates, leftOut, choice } = result;
  return [
    `${output}: ${choice.label}`,
    ...summary(result).map(([name, words]) => `  ${name.padEnd(12)} ${words}`),
    '',
    renderTable(HEADER, candidates.map(columns)),
    '→ chosen; * none is better in accuracy, latency and size together',
    ...leftOut.map(({ label, reason }) => `left out: ${label}: ${reason}`),
  ].join('\n');
}

/** What was chosen and what is known of it, as pairs of a name and words. */
export function summary(result: SearchResult): readonly (readonly [string, string])[] {
  const { choice, evaluation, samples, float32, seconds, candidates } = result;
  const chosen = candidates.find(({ isChosen }) => isChosen);
  return [
    ['chosen', `because ${choice.reason}`],
    ...accuracyLines(result, chosen?.accuracy),
    ...(chosen?.sizeBytes === undefined
      ? []
      : [
          [
            'size',
            `${formatBytes(chosen.sizeBytes)}, ${(float32.sizeBytes / chosen.sizeBytes).toFixed(2)}x smaller than float32`,
          ] as const,
        ]),
    ['latency', latencyWords(result, chosen)],
    ...choice.missedGoals.map((missed) => ['goal missed', missed] as const),
    [
      'search',
      `${candidates.length} candidates in ${formatSeconds(seconds)}, made from ${samples.make} samples and chosen by ${samples.choose} others${evaluation === undefined ? '' : '; the evaluation split was read once, after the choice'}`,
    ],
    ...endWords(result),
  ];
}

const STANDING_WORDS: Readonly<Record<SearchResult['choice']['standing'], string>> = {
  kept: 'kept',
  undecided: 'kept as far as can be seen, on too few samples to be sure',
  doubtful: 'missed as far as can be seen, on too few samples to be sure',
  missed: 'missed',
  unknown: 'not known: its accuracy was not measured',
};

function accuracyLines(
  { choice, evaluation, evaluationProblem, samples, chosenBy, budget }: SearchResult,
  accuracy: AccuracyFigures | undefined,
): readonly (readonly [string, string])[] {
  const stand =
    !samples.isLabelled && chosenBy.metric === 'agreement' && budget.metric !== 'agreement'
      ? '; without labels kept answers stand in for them'
      : '';
  return [
    [
      'budget',
      `${STANDING_WORDS[choice.standing]}${accuracy === undefined ? '' : `: ${accuracy.reason}${stand}`}`,
    ],
    ...(evaluation === undefined
      ? [['evaluation', evaluationProblem?.message ?? 'none: no data was named for it (--data)'] as const]
      : [
          [
            'evaluation',
            `${STANDING_WORDS[evaluation.standing]}: ${evaluation.reason}${missedBy(evaluation)}`,
          ] as const,
        ]),
  ];
}

/** By how much more is lost than allowed. */
function missedBy({ standing, loss, allowed, metric }: AccuracyFigures): string {
  if (loss === null || (standing !== 'missed' && standing !== 'doubtful')) return '';
  const excess = loss - allowed;
  return metric === 'sqnr_db'
    ? `; ${excess.toFixed(1)} dB too little`
    : `; missed by ${excess.toPrecision(3)}`;
}

function latencyWords(
  { latencyProblem, latencyThreads }: SearchResult,
  chosen: CandidateResult | undefined,
): string {
  const latency = chosen?.latency;
  if (latency === undefined)
    return `not measured${latencyProblem === undefined ? '' : `: ${latencyProblem.message}`}`;
  const threads =
    latencyThreads === 0 ? 'all cores' : `${latencyThreads} thread${latencyThreads === 1 ? '' : 's'}`;
  const doubts =
    latency.invalidReasons.length === 0 ? '' : `; not to be relied on: ${latency.invalidReasons.join('; ')}`;
  return `${formatSeconds(latency.medianSeconds)} against ${formatSeconds(latency.float32Seconds)} in float32 at ${threads}, ${speedUpWords(chosen)}${doubts}`;
}

export function speedUpWords(candidate: Pick<CandidateResult, 'latency'> | undefined): string {
  const speedUp = candidate?.latency?.speedUp;
  if (speedUp === undefined) return '–';
  if (speedUp === null) return 'too few rounds to compare';
  return `${speedUp.ratio.toFixed(2)}x [${speedUp.lower.toFixed(2)}, ${speedUp.upper.toFixed(2)}]`;
}

function endWords({ ended }: SearchResult): readonly (readonly [string, string])[] {
  switch (ended) {
    case 'finished':
      return [];
    case 'cancelled':
      return [['note', 'it was cancelled: this is the best so far; --resume goes on']];
    case 'time-limit':
      return [
        [
          'note',
          'the time limit came: this is the best so far; --resume goes on, with a time limit of its own',
        ],
      ];
  }
}

/** How surely the budget is kept, in a word. */
export const STANDING_WORD: Readonly<Record<AccuracyFigures['standing'], string>> = {
  kept: 'kept',
  undecided: 'kept?',
  doubtful: 'missed?',
  missed: 'missed',
};

function columns(candidate: CandidateResult): string[] {
  const { label, sizeBytes, accuracy, latency, makingSeconds, state, reason, isChosen, isOnFront } =
    candidate;
  return [
    isChosen ? '→' : isOnFront ? '*' : '',
    label,
    sizeBytes === undefined ? '–' : formatBytes(sizeBytes),
    accuracy === undefined ? '–' : accuracy.sqnrDb === null ? 'same' : decimal(accuracy.sqnrDb, 1),
    percent(accuracy?.agreement),
    accuracy === undefined ? '–' : STANDING_WORD[accuracy.standing],
    latency === undefined ? '–' : formatSeconds(latency.medianSeconds),
    speedUpWords(candidate),
    makingSeconds === undefined ? '–' : formatSeconds(makingSeconds),
    remark(state, reason),
  ];
}

export function remark(state: CandidateResult['state'], reason: string | undefined): string {
  switch (state) {
    case 'timed':
    case 'judged':
      return '';
    case 'eliminated':
      return reason ?? '';
    case 'failed':
      return `failed: ${reason ?? ''}`;
    case 'not-done':
      return `not done: ${reason ?? 'the search ended before'}`;
  }
}
