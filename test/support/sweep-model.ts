import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { systemClock } from '../../src/core/clock.ts';
import { attemptAsync } from '../../src/core/problem.ts';
import { quantizeModel } from '../../src/jobs/quantize-model.ts';
import { type Feeds, float16Feed, float16Values } from './run-model.ts';
import type { SweepRecipe } from './sweep-recipes.ts';
import type { SweepSubject } from './sweep-subject.ts';

/** What became of a model and a recipe. */
export type SweepOutcome =
  | { readonly result: 'written'; readonly quantized: number; readonly sqnrDb: number | undefined; readonly note?: string }
  /** An expected failure, with its kind. */
  | { readonly result: 'refused'; readonly kind: string; readonly message: string }
  | { readonly result: 'broken'; readonly why: string };

type Results = Readonly<Record<string, Tensor>>;

/** Problems that say that what was made does not work, where the original does. */
const UNUSABLE: ReadonlySet<string> = new Set([
  'model-rejected-by-runtime',
  'inference-failed',
  'quantized-model-unusable',
]);

const LEVELS = ['disabled', 'basic', 'extended', 'all'] as const;

/** Quantizes a subject in this process, and compares what was written with the original at every optimization level. */
export async function sweepModel(
  subject: SweepSubject,
  { recipe, leastDb }: SweepRecipe,
  folder: string,
): Promise<SweepOutcome> {
  const { modelPath, dataPath, feeds } = subject;
  const outputPath = join(folder, 'quantized.onnx');
  try {
    const task = {
      kind: 'quantize',
      modelPath,
      outputPath,
      ...(dataPath === undefined ? {} : { data: { path: dataPath, split: 'calib' } }),
      recipe,
      threads: 1,
    } as const;
    const made = await attemptAsync(() => quantizeModel(task, { clock: systemClock, emit: () => {} }));
    if (!made.ok) {
      const { kind, message } = made.error;
      const isAtFault = UNUSABLE.has(kind) && (await runFile(modelPath, feeds, 'all')).failure === undefined;
      return isAtFault
        ? { result: 'broken', why: `${kind}: ${message}` }
        : { result: 'refused', kind, message };
    }
    const compared = await compare(modelPath, outputPath, feeds, leastDb);
    return 'why' in compared
      ? { result: 'broken', why: compared.why }
      : { result: 'written', quantized: made.value.ops.quantized, ...compared };
  } catch (error) {
    const { stack = String(error) } = error as Error;
    return { result: 'broken', why: stack.split('\n').slice(0, 3).join(' ') };
  } finally {
    rmSync(outputPath, { force: true });
  }
}

type Comparison =
  | { readonly sqnrDb: number | undefined; readonly note?: string }
  | { readonly why: string };

async function compare(
  modelPath: string,
  outputPath: string,
  feeds: Feeds | undefined,
  leastDb: number,
): Promise<Comparison> {
  const references: Results[] = [];
  if (feeds !== undefined) {
    for (const level of ['disabled', 'all'] as const) {
      const run = await runFile(modelPath, feeds, level);
      if (run.results === undefined) break;
      references.push(run.results);
    }
  }
  const [reference, again] = references;
  const isComparable = reference !== undefined && again !== undefined && lowest(reference, again) > 60;
  let worst = Number.POSITIVE_INFINITY;
  for (const level of LEVELS) {
    const { failure, results } = await runFile(outputPath, reference === undefined ? undefined : feeds, level);
    if (failure !== undefined) return { why: `${level}: ${failure}` };
    if (reference === undefined || results === undefined) continue;
    const mismatch = portMismatch(reference, results);
    if (mismatch !== undefined) return { why: `${level}: ${mismatch}` };
    if (isComparable) worst = Math.min(worst, lowest(reference, results));
  }
  if (!isComparable) return { sqnrDb: undefined, note: reference === undefined ? 'not run' : 'not deterministic' };
  if (!(worst >= leastDb)) return { why: `${worst.toFixed(1)} dB` };
  return { sqnrDb: worst };
}

async function runFile(
  path: string,
  feeds: Feeds | undefined,
  level: (typeof LEVELS)[number],
): Promise<{ readonly failure?: string; readonly results?: Results }> {
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(path, {
      graphOptimizationLevel: level,
      intraOpNumThreads: 1,
      logSeverityLevel: 4,
    });
  } catch (error) {
    return { failure: `does not load: ${String(error).slice(0, 300)}` };
  }
  try {
    if (feeds === undefined) return {};
    return { results: await session.run(castFeeds(feeds, session)) };
  } catch (error) {
    return { failure: `does not run: ${String(error).slice(0, 300)}` };
  } finally {
    await session.release();
  }
}

/** Float16 where the quantized model takes that in the place of float32. */
function castFeeds(feeds: Feeds, { inputMetadata }: InferenceSession): Feeds {
  const types = new Map(inputMetadata.map((port) => [port.name, port.isTensor ? port.type : undefined]));
  return Object.fromEntries(
    Object.entries(feeds)
      .filter(([name]) => types.has(name))
      .map(([name, feed]) => [
        name,
        feed.type === 'float32' && types.get(name) === 'float16'
          ? float16Feed(feed.dims, feed.data as Float32Array)
          : feed,
      ]),
  );
}

/** How names, types and shapes differ; float16 may stand for float32. */
function portMismatch(expected: Results, actual: Results): string | undefined {
  const names = Object.keys(actual).join();
  if (names !== Object.keys(expected).join()) return `gives ${names} instead of ${Object.keys(expected).join()}`;
  for (const [name, { type, dims }] of Object.entries(expected)) {
    const other = actual[name];
    const isSameType = other?.type === type || (type === 'float32' && other?.type === 'float16');
    if (!isSameType) return `'${name}' is ${other?.type} instead of ${type}`;
    // A sequence has no dimensions.
    if (`${other?.dims}` !== `${dims}`) return `'${name}' is [${other?.dims}] instead of [${dims}]`;
  }
  return undefined;
}

/** The lowest SQNR of a float output; not a number where a result is not finite that should be. */
function lowest(expected: Results, actual: Results): number {
  let worst = Number.POSITIVE_INFINITY;
  for (const [name, tensor] of Object.entries(expected)) {
    const values = floatsOf(tensor);
    const others = floatsOf(actual[name]);
    if (values === undefined || others === undefined) continue;
    const found = sqnrDb(values, others);
    if (!(found >= worst)) worst = found;
  }
  return worst;
}

function floatsOf(tensor: Tensor | undefined): ArrayLike<number> | undefined {
  if (tensor?.type === 'float16') return float16Values(tensor);
  return tensor?.type === 'float32' || tensor?.type === 'float64' ? (tensor.data as Float32Array) : undefined;
}

/** Where the original gives NaN or infinity, anything goes. */
function sqnrDb(values: ArrayLike<number>, others: ArrayLike<number>): number {
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!Number.isFinite(value)) continue;
    signal += value ** 2;
    noise += (value - (others[i] as number)) ** 2;
  }
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
}
