import type { Clock } from '../core/clock.ts';
import type { ItemFacts } from '../core/item.ts';
import type { NamedTensors, Tensor } from '../core/tensor.ts';
import { createEvaluator } from '../evaluation/evaluation.ts';
import { collectIndices } from '../evaluation/index-list.ts';
import { numericValues } from '../evaluation/numeric-values.ts';
import type { Task } from '../evaluation/task.ts';
import type { GoldenDrift, ModelEvaluation } from './evaluate-task.ts';
import type { LaneOutputs } from './evaluation-lane.ts';
import { createOutputsFile } from './outputs-file.ts';
import { outputsOrigin } from './outputs-origin.ts';
import { type OutputsReader, openOutputsFile } from './outputs-reader.ts';
import { unwrapIn } from './unwrap.ts';

/** A model against its own outputs of an earlier day. */
export interface GoldenCheck {
  /** Samples come in order. */
  add(facts: ItemFacts, found: NonNullable<LaneOutputs>): Promise<void>;
  /** Whether outputs were recorded, where they were not yet; otherwise what has changed since. */
  finish(): Promise<Pick<ModelEvaluation, 'drift' | 'goldenRecorded'>>;
  /** Leaves nothing behind of what was not finished. */
  close(): Promise<void>;
}

interface GoldenOptions {
  readonly clock: Clock;
  readonly task: Task<unknown> | undefined;
  /** Numeric outputs to compare, by name. */
  readonly outputs: readonly string[];
}

/** Enough for the scores, boxes or texts of thousands of samples; maps of many are left to the reference's cache. */
const MAX_BYTES = 64 * 2 ** 20;

/**
 * Compares with the outputs in the file, or records them where there is none. Without a task that reads answers, an answer
 * has changed only where an output became NaN or infinite, or is so no longer.
 * @param path of the file; without one there is nothing to check
 */
export async function openGoldenCheck(
  path: string | undefined,
  options: GoldenOptions,
): Promise<GoldenCheck | undefined> {
  if (path === undefined) return undefined;
  const reader = await openOutputsFile(path);
  return reader === undefined ? record(path, options.clock) : compare(path, reader, options);
}

/** Records the outputs where there are none yet, and compares with nothing. */
export async function recordGolden(path: string | undefined, clock: Clock): Promise<GoldenCheck | undefined> {
  if (path === undefined) return undefined;
  const known = await openOutputsFile(path);
  if (known === undefined) return record(path, clock);
  await known.close();
  return undefined;
}

async function record(path: string, clock: Clock): Promise<GoldenCheck> {
  const writer = await createOutputsFile(path, outputsOrigin(clock), MAX_BYTES);
  let hasFailed = false;
  return {
    add: async ({ index }, found) => {
      if ('problem' in found) hasFailed = true;
      else await writer.write(index, found.tensors);
    },
    // What a model gives on a day on which it fails is nothing to hold it to.
    finish: async () => ({ goldenRecorded: !hasFailed && (await writer.commit()) }),
    close: () => writer.abort(),
  };
}

async function compare(path: string, reader: OutputsReader, options: GoldenOptions): Promise<GoldenCheck> {
  const evaluator = createEvaluator(options);
  const changed = new Set<number>();
  let lost = 0;
  let isIdentical = true;
  let recorded = await reader.next();

  /** An item has outputs on one of the two days alone, as when the model fails on it now. */
  const lose = (index: number): void => {
    changed.add(index);
    lost += 1;
  };
  const passBy = async (end: number): Promise<void> => {
    for (; recorded !== undefined && recorded.index < end; recorded = await reader.next())
      lose(recorded.index);
  };

  return {
    add: async (facts, found) => {
      await passBy(facts.index);
      const reference = recorded?.index === facts.index ? recorded.outputs : undefined;
      if (reference !== undefined) recorded = await reader.next();
      if (reference === undefined || 'problem' in found) {
        lose(facts.index);
        return;
      }
      unwrapIn(path, evaluator.add({ ...facts, reference, candidate: found.tensors }));
      const likeness = compareOutputs(options.outputs, reference, found.tensors);
      if (likeness !== 'same') isIdentical = false;
      if (likeness === 'other-finiteness') changed.add(facts.index);
    },
    finish: async () => {
      await passBy(Number.POSITIVE_INFINITY);
      for (const { index } of evaluator.changed()) changed.add(index);
      const list = collectIndices();
      for (const index of [...changed].sort((a, b) => a - b)) list.add(index);
      const { n, outputs } = evaluator.tally();
      const drift: GoldenDrift = {
        recorded: reader.origin,
        n: n + lost,
        drift: changed.size > 0 ? 'answers' : isIdentical ? 'none' : 'numeric',
        changed: list.list(),
        maxAbsError: Math.max(...outputs.map(({ maxAbsError }) => maxAbsError)),
      };
      return { drift };
    },
    close: () => reader.close(),
  };
}

type Likeness = 'same' | 'other-values' | 'other-finiteness';

function compareOutputs(names: readonly string[], before: NamedTensors, now: NamedTensors): Likeness {
  let likeness: Likeness = 'same';
  for (const name of names) {
    const [a, b] = [before, now].map((tensors) => numericValues(tensors[name] as Tensor) ?? []);
    const found = compareValues(a as ArrayLike<number>, b as ArrayLike<number>);
    if (found === 'other-finiteness') return found;
    if (found !== 'same') likeness = found;
  }
  return likeness;
}

/** NaN is like NaN here: the model gave it on the earlier day as well. */
function compareValues(before: ArrayLike<number>, now: ArrayLike<number>): Likeness {
  if (before.length !== now.length) return 'other-values';
  let likeness: Likeness = 'same';
  for (let i = 0; i < before.length; i += 1) {
    const [a, b] = [before[i], now[i]];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    if (Number.isFinite(a) !== Number.isFinite(b)) return 'other-finiteness';
    likeness = 'other-values';
  }
  return likeness;
}
