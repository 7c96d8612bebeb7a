import Type from 'typebox';
import { boolean, integer, number, numberOrNull, oneOf, text } from './schema-words.ts';

/** What a search of recipes found, as `quantize --recipe auto --json` prints it and the daemon keeps it. */
const STANDINGS = ['kept', 'undecided', 'doubtful', 'missed'] as const;

const STANDING_MEANINGS =
  'kept: no more is lost than allowed, with the confidence of the budget; undecided: no more was seen to be lost, on too few samples to be sure; ' +
  'doubtful: more was seen to be lost, on too few samples to be sure; missed: more is lost';

const ProblemSchema = Type.Object({
  kind: text('stable, for programs'),
  message: text('a sentence for people'),
});

const AccuracyFiguresSchema = Type.Object(
  {
    samples: integer('that were compared'),
    metric: text('what was judged by: a metric of the task, agreement or sqnr_db'),
    value: numberOrNull('of the candidate'),
    reference: numberOrNull('of float32'),
    loss: numberOrNull('how much worse the candidate is'),
    lossUpperBound: numberOrNull('of the loss, at the confidence of the budget'),
    allowed: number('the loss that the budget allows'),
    agreement: Type.Optional(number('share of the answers that are those of float32')),
    sqnrDb: numberOrNull('of the first output; null where nothing differs'),
    standing: oneOf(STANDINGS, STANDING_MEANINGS),
    reason: text('the figures that decided, as a sentence'),
  },
  { title: 'SearchAccuracy' },
);

const LatencyFiguresSchema = Type.Object(
  {
    medianSeconds: number('of one query'),
    float32Seconds: number('of one query of float32 in the same rounds'),
    speedUp: Type.Union([
      Type.Object({
        ratio: number('above 1 the candidate is faster than float32'),
        lower: number('of the 95 % interval'),
        upper: number('of the 95 % interval'),
      }),
      Type.Null(),
    ]),
    slowerThan: Type.Array(Type.String(), { description: 'labels of those that are faster beyond doubt' }),
    invalidReasons: Type.Array(Type.String(), {
      description: 'why the figures are not to be relied on; empty where they are',
    }),
  },
  { title: 'SearchLatency' },
);

const CandidateSchema = Type.Object(
  {
    label: text('as people read it'),
    family: text('candidates of one family run the same kernels'),
    effort: oneOf(['plain', 'fast', 'full', 'mixed'], 'how much work it is to make'),
    recipe: Type.Object(
      { format: text('of the recipe') },
      { description: 'as a recipe file takes it, with all settings' },
    ),
    state: oneOf(
      ['timed', 'judged', 'eliminated', 'failed', 'not-done'],
      'timed: all was measured; judged: its accuracy alone; eliminated: others of its family are more accurate; not-done: the search ended before',
    ),
    reason: Type.Optional(text('why it went no further')),
    sizeBytes: Type.Optional(integer('of its files')),
    quantized: Type.Optional(integer('nodes that the recipe changed')),
    fused: Type.Optional(numberOrNull('of them, those that the runtime runs in the small type')),
    makingSeconds: Type.Optional(number('what making it took')),
    accuracy: Type.Optional(AccuracyFiguresSchema),
    latency: Type.Optional(LatencyFiguresSchema),
    isOnFront: boolean('none is better in accuracy, latency or size without being worse in another'),
    isChosen: boolean('it is the result'),
  },
  { title: 'SearchCandidate' },
);

const GoalSchema = Type.Union([
  Type.Object({ kind: oneOf(['absolute'], 'in seconds or bytes'), value: Type.Number() }),
  Type.Object({ kind: oneOf(['relative'], 'of what float32 has'), ratio: Type.Number() }),
]);

const BudgetSchema = Type.Object({
  metric: Type.Optional(text("the task's first where it is absent")),
  absolute: Type.Optional(number('in units of the metric')),
  relative: Type.Optional(number('as a share of the float32 figure')),
  atLeast: Type.Optional(number('for sqnr_db')),
  alpha: Type.Optional(number('a loss counts as shown below this p-value')),
  confidence: Type.Optional(number('of bounds')),
});

export const SearchResultSchema = Type.Object(
  {
    model: text('the float32 model'),
    output: text('where the best model lies'),
    ended: oneOf(['finished', 'time-limit', 'cancelled'], 'why it ended'),
    seconds: number('that it took, without those of earlier searches that it went on with'),
    float32: Type.Object({ sizeBytes: integer('of the float32 model') }),
    target: text('what the candidates were made for'),
    goals: Type.Object({ maxLatency: Type.Optional(GoalSchema), maxSize: Type.Optional(GoalSchema) }),
    budget: BudgetSchema,
    chosenBy: BudgetSchema,
    latencyThreads: integer('0 for every core'),
    samples: Type.Object({
      make: integer('samples that candidates were made from'),
      choose: integer('other samples, that they were chosen by'),
      isLabelled: boolean('whether those have labels'),
    }),
    candidates: Type.Array(CandidateSchema),
    leftOut: Type.Array(Type.Object({ label: text('a recipe'), reason: text('why it was not tried') })),
    choice: Type.Object({
      label: text('of the candidate'),
      standing: oneOf([...STANDINGS, 'unknown'], STANDING_MEANINGS),
      reason: text('what decided'),
      missedGoals: Type.Array(Type.String()),
    }),
    evaluation: Type.Optional(AccuracyFiguresSchema),
    evaluationProblem: Type.Optional(ProblemSchema),
    latencyProblem: Type.Optional(ProblemSchema),
    quantization: Type.Optional(
      Type.Object(
        {},
        { description: 'what the quantization of the chosen one told, as quantize --json does' },
      ),
    ),
  },
  { title: 'SearchResult', description: 'what a search of recipes tried, measured and chose' },
);

/** The JSON Schema of results of searches: the text of `profiles/search-result.schema.json`. */
export const searchResultJsonSchema: string = `${JSON.stringify(SearchResultSchema, null, 2)}\n`;
