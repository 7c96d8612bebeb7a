import { evenPositions } from '../../core/even-positions.ts';
import type { ItemFacts } from '../../core/item.ts';
import { problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Figures, Measure, MetricInfo, Task, TaskProblem } from '../task.ts';
import { additiveMeasure } from './additive-measure.ts';
import { NO_NEIGHBOR, nearestNeighbors } from './nearest-neighbors.ts';
import { answerFromOutput, type OutputChoice, type OutputValues } from './read-output.ts';
import { settingProblem } from './setting-problem.ts';

export interface EmbeddingSettings extends OutputChoice {
  /** Neighbours that are looked for; 10 where it is absent, and never more than there are other items. */
  readonly k?: number;
  /** How many items' neighbours are compared at most; 5,000 where it is absent. */
  readonly maxItems?: number;
  /** The cosine from which on two vectors of one item count as the same; 0.99 where it is absent. */
  readonly minCosine?: number;
}

/** The vector that a model gives for one item. */
export interface EmbeddingAnswer {
  /** As the model gives it, rounded to float32. */
  readonly vector: Float32Array;
  /** Euclidean; 0 for a vector of zeros, and not finite if one of its numbers is not. */
  readonly norm: number;
}

const DEFAULT_K = 10;
const DEFAULT_MAX_ITEMS = 5000;
const DEFAULT_MIN_COSINE = 0.99;

const METRICS: readonly MetricInfo[] = [
  { name: 'neighbor_recall', label: 'neighbours kept', better: 'higher', unit: 'proportion' },
  { name: 'cosine', label: 'cosine to the reference', better: 'higher', unit: 'number' },
];

/**
 * One vector for each item, from an output with one axis larger than 1. There are no truths: what is measured is how well
 * the candidate's space keeps the reference's.
 *
 * `neighbor_recall`: of the k items nearest to an item by cosine in the reference's space, the share that is among the
 * k nearest in the candidate's, averaged over the items. All items may be neighbours, but of more than `maxItems` items
 * only so many are asked for theirs, taken evenly, as the search takes items · asked · length multiplications. Of equal
 * cosines the first item is nearer. `cosine`: the mean over all items between the two vectors of one item.
 *
 * Both are measured for each item once, and weights average them: an item that counts twice is not its own neighbour.
 * A vector of zeros has the cosine 0 with any other and 1 with another one of zeros. One with NaN or infinity has the
 * cosine 0 with all and is nobody's neighbour; so is one of another length than the first item's in the reference.
 */
export function createEmbeddingTask(settings: EmbeddingSettings): Task<EmbeddingAnswer> {
  const { k = DEFAULT_K, maxItems = DEFAULT_MAX_ITEMS, minCosine = DEFAULT_MIN_COSINE } = settings;
  const invalid = settingProblem([
    { name: 'k', value: k, must: 'a whole number from 1 on', holds: Number.isInteger(k) && k >= 1 },
    {
      name: 'maxItems',
      value: maxItems,
      must: 'a whole number from 1 on',
      holds: Number.isInteger(maxItems) && maxItems >= 1,
    },
    { name: 'minCosine', value: minCosine, must: 'from -1 to 1', holds: Math.abs(minCosine) <= 1 },
  ]);
  // All candidates are held against the same answers, whose neighbours take as long to find as theirs.
  const found = new WeakMap<readonly EmbeddingAnswer[], Int32Array>();
  return {
    name: 'embedding',
    metrics: METRICS,
    againstReference: true,
    answer: answerFromOutput(settings, readVector, invalid),
    same: (reference, candidate) => cosineOf(reference, candidate) >= minCosine,
    show: ({ vector, norm }) => `${vector.length} numbers of norm ${Number(norm.toPrecision(4))}`,
    measure: (answers, reference) => {
      const length = reference[0]?.vector.length ?? 0;
      const queries = evenPositions(answers.length, maxItems);
      const neighbors = Math.min(k, answers.length - 1);
      const search = (vectors: readonly EmbeddingAnswer[]): Int32Array => {
        const nearest = found.get(vectors) ?? nearestNeighbors(tableOf(vectors, length), queries, neighbors);
        found.set(vectors, nearest);
        return nearest;
      };
      const recalls = neighbors < 1 ? undefined : shareKept(search(reference), search(answers), neighbors);
      const cosines = answers.map((answer, i) => cosineOf(reference[i] as EmbeddingAnswer, answer));
      return averageOver(cosines, queries, recalls);
    },
  };
}

function readVector(
  { name, dims, values }: OutputValues,
  item: ItemFacts,
): Result<EmbeddingAnswer, TaskProblem> {
  const axes = dims.filter((dim) => dim !== 1);
  if (axes.length !== 1 || values.length < 2) {
    return err(
      problem('output-shape-unexpected', `output '${name}' is [${dims}], which is not one vector`, {
        place: { tensor: name, sample: item.index },
        hint: 'name the output with the pooled embedding: one vector for each item',
      }),
    );
  }
  const vector = Float32Array.from(values);
  return ok({ vector, norm: Math.sqrt(dot(vector, vector)) });
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

function cosineOf(a: EmbeddingAnswer, b: EmbeddingAnswer): number {
  if (a.vector.length !== b.vector.length || !Number.isFinite(a.norm) || !Number.isFinite(b.norm)) return 0;
  if (a.norm === 0 || b.norm === 0) return a.norm === b.norm ? 1 : 0;
  // Rounding may carry the quotient of two nearly parallel vectors beyond 1.
  return Math.max(-1, Math.min(1, dot(a.vector, b.vector) / a.norm / b.norm));
}

function tableOf(answers: readonly EmbeddingAnswer[], length: number) {
  const rows = new Float64Array(answers.length * length).fill(Number.NaN);
  answers.forEach(({ vector, norm }, i) => {
    if (vector.length !== length || !Number.isFinite(norm)) return;
    const divisor = norm === 0 ? 1 : norm;
    for (let j = 0; j < length; j += 1) rows[i * length + j] = (vector[j] as number) / divisor;
  });
  return { count: answers.length, length, rows };
}

/** For each query the share of the reference's neighbours that the candidate finds. */
function shareKept(reference: Int32Array, candidate: Int32Array, k: number): Float64Array {
  return Float64Array.from({ length: reference.length / k }, (_, query) => {
    const kept = new Set(candidate.subarray(query * k, (query + 1) * k));
    const expected = reference.subarray(query * k, (query + 1) * k);
    return expected.filter((row) => row !== NO_NEIGHBOR && kept.has(row)).length / k;
  });
}

const COSINES = 0;
const RECALLS = 1;
const ASKED = 2;

function averageOver(
  cosines: readonly number[],
  queries: Uint32Array,
  recalls: Float64Array | undefined,
): Measure {
  const queryOf = new Map(Array.from(queries, (item, query) => [item, query]));
  return additiveMeasure(
    { items: cosines.length, sums: 3 },
    (item, add) => {
      add(COSINES, cosines[item] as number);
      const recall = recalls?.[queryOf.get(item) ?? -1];
      if (recall === undefined) return;
      add(RECALLS, recall);
      add(ASKED, 1);
    },
    (sums, total): Figures => ({
      neighbor_recall: sums[ASKED] === 0 ? null : (sums[RECALLS] as number) / (sums[ASKED] as number),
      cosine: total === 0 ? null : (sums[COSINES] as number) / total,
    }),
  );
}
