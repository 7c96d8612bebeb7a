import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { systemClock } from '../../src/core/clock.ts';
import { attemptAsync } from '../../src/core/problem.ts';
import { quantizeModel } from '../../src/jobs/quantize-model.ts';
import type { Recipe } from '../../src/quantization/recipe.ts';
import { type Feeds, float16Feed, float16Values } from './run-model.ts';
import type { SweepSubject } from './sweep-subject.ts';

/** What became of a model and a recipe. */
export type SweepOutcome =
  | { readonly result: 'written'; readonly quantized: number; readonly sqnrDb?: number | undefined }
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

/** Masks are often made of the lowest float32, which a float16 model limits to its own range. */
const LARGEST_COMPARED = 65504;

const LEVELS = ['disabled', 'basic', 'extended', 'all'] as const;

/** Quantizes a subject in this process, and compares what was written with the original at every optimization level. */
export async function sweepModel(
  subject: SweepSubject,
  { recipe, leastDb }: { readonly recipe: Recipe; readonly leastDb: number },
  folder: string,
): Promise<SweepOutcome> {
  const { modelPath, dataPath, feeds } = subject;
  const outputPath = join(folder, 'quantized.onnx');
  try {
    const task = {
      kind: 'quantize',
      modelPath,
      outputPath,
      ...(dataPath === undefined ? {} : { data: { spec: { path: dataPath }, split: 'calib' } }),
      recipe,
      threads: 1,
    } as const;
    const made = await attemptAsync(() => quantizeModel(task, { clock: systemClock, emit: () => {} }));
    if (!made.ok) {
      const { kind, message } = made.error;
      // Coarser numbers may well lead over the edge of a Log; a run that fails is another matter.
      const isAtFault =
        UNUSABLE.has(kind) &&
        !/gave NaN or infinity/.test(message) &&
        (await runFile(modelPath, feeds, 'all')).failure === undefined;
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

/** `sqnrDb` is absent where the original cannot be run, or gives something else every time. */
type Comparison = { readonly sqnrDb: number | undefined } | { readonly why: string };

async function compare(
  modelPath: string,
  outputPath: string,
  feeds: Feeds | undefined,
  leastDb: number,
): Promise<Comparison> {
  const reference = feeds && (await runFile(modelPath, feeds, 'disabled')).results;
  const again = reference && (await runFile(modelPath, feeds, 'all')).results;
  const isRepeatable = reference !== undefined && again !== undefined && lowest(reference, again) > 60;
  let worst = Number.POSITIVE_INFINITY;
  for (const level of LEVELS) {
    const { failure, results } = await runFile(outputPath, again && feeds, level);
    if (failure !== undefined) return { why: `${level}: ${failure}` };
    if (reference === undefined || results === undefined) continue;
    const mismatch = portMismatch(reference, results);
    if (mismatch !== undefined) return { why: `${level}: ${mismatch}` };
    const found = isRepeatable ? lowest(reference, results) : worst;
    if (!(found >= leastDb)) return { why: `${level}: ${found.toFixed(1)} dB` };
    worst = Math.min(worst, found);
  }
  return { sqnrDb: isRepeatable ? worst : undefined };
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

/** Copies, as some kernels write into what they are fed; float16 where the model takes that in the place of float32. */
function castFeeds(feeds: Feeds, { inputMetadata }: InferenceSession): Feeds {
  const types = new Map(inputMetadata.map((port) => [port.name, port.isTensor ? port.type : undefined]));
  return Object.fromEntries(
    Object.entries(feeds)
      .filter(([name]) => types.has(name))
      .map(([name, feed]) => [
        name,
        feed.type === 'float32' && types.get(name) === 'float16'
          ? float16Feed(feed.dims, feed.data as Float32Array)
          : copyOf(feed),
      ]),
  );
}

function copyOf({ type, data, dims }: Tensor): Tensor {
  const make = Tensor as unknown as new (type: string, data: unknown, dims: readonly number[]) => Tensor;
  const copied = (data as Uint16Array | string[]).slice();
  // See `toOrt` of the runtime room.
  if (type !== 'float16') return new make(type, copied, dims);
  return Object.assign(new make('uint16', copied, dims), { type });
}

/** How names, types and shapes differ; float16 may stand for float32. */
function portMismatch(expected: Results, actual: Results): string | undefined {
  const names = Object.keys(actual).join();
  if (names !== Object.keys(expected).join())
    return `gives ${names} instead of ${Object.keys(expected).join()}`;
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

/** Where the original gives NaN, infinity or what only float32 holds, anything goes. */
function sqnrDb(values: ArrayLike<number>, others: ArrayLike<number>): number {
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!(Math.abs(value) <= LARGEST_COMPARED)) continue;
    signal += value ** 2;
    noise += (value - (others[i] as number)) ** 2;
  }
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
}
