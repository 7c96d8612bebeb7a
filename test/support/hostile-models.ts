import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/core/clock.ts';
import { attemptAsync } from '../../src/core/problem.ts';
import { quantizeModel } from '../../src/jobs/quantize-model.ts';
import { encodeModel, type OnnxModel } from '../../src/onnx/model-file.ts';
import { graph, model, node, tensor, value } from './graph-builder.ts';
import { type Feeds, floatFeed } from './run-model.ts';
import { sweepModel } from './sweep-model.ts';
import { SWEEP_RECIPES, type SweepRecipeName } from './sweep-recipes.ts';
import { archiveOf } from './sweep-subject.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { unwrap } from './unwrap.ts';

export const STATIC = [
  'static-int8',
  'static-int8 tensorrt',
  'static-int8 qoperator',
  'static-int16',
] as const;
export const WEIGHTS = ['weight-int8', 'weight-int4', 'weight-int4 dequantize'] as const;
export const FLOAT16 = ['float16', 'float16 edges too'] as const;
export const ALL = [...STATIC, 'dynamic-int8', ...WEIGHTS, ...FLOAT16] as const;
export const ROWS = 4;
export const SIZE = 64;

/** Values between -`size` and `size` that follow no pattern. */
export function noise(count: number, size = 1, seed = 1): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return size * (state / 2 ** 31 - 1);
  });
}

export const FEEDS: Feeds = { x: floatFeed([ROWS, SIZE], noise(ROWS * SIZE, 3)) };

export interface Constants {
  readonly w1: number[];
  readonly b1: number[];
  readonly w2: number[];
}

/** x → Gemm → Relu → MatMul → y, with constants as `spoil` leaves them. */
export function layers(
  spoil: (constants: Constants) => void = () => {},
  outputs: readonly string[] = [],
): OnnxModel {
  const constants = { w1: noise(SIZE ** 2, 1, 2), b1: noise(SIZE, 1, 3), w2: noise(SIZE ** 2, 1, 4) };
  spoil(constants);
  const dims = { w1: [SIZE, SIZE], b1: [SIZE], w2: [SIZE, SIZE] };
  return model(
    graph({
      inputs: [value('x', 'float', [ROWS, SIZE])],
      nodes: [
        node('Gemm', ['x', 'w1', 'b1'], ['h'], {}, { name: 'first' }),
        node('Relu', ['h'], ['r']),
        node('MatMul', ['r', 'w2'], ['y'], {}, { name: 'second' }),
      ],
      outputs: ['y', ...outputs].map((name) => value(name)),
      initializers: Object.entries(dims).map(([name, shape]) =>
        tensor(name, shape, constants[name as keyof Constants]),
      ),
    }),
    { opset: 21, irVersion: 10 },
  );
}

/** Files of a model and of one sample, if an archive can hold it. */
function filesOf(given: OnnxModel, feeds: Feeds) {
  const folder = temporaryFolder();
  const modelPath = join(folder, 'model.onnx');
  writeFileSync(modelPath, unwrap(encodeModel(given)));
  const archive = archiveOf(given, feeds);
  const dataPath = join(folder, 'data.npz');
  if (archive !== undefined) writeFileSync(dataPath, archive);
  return { folder, modelPath, feeds, ...(archive === undefined ? {} : { dataPath }) };
}

/** What each recipe makes of it: `written`, a kind of problem, or why it is broken. */
export async function outcomes(given: OnnxModel, feeds: Feeds, recipes: readonly SweepRecipeName[]) {
  const { folder, ...subject } = filesOf(given, feeds);
  const made: Record<string, string> = {};
  for (const recipe of recipes) {
    const outcome = await sweepModel(subject, SWEEP_RECIPES[recipe], folder);
    made[recipe] =
      outcome.result === 'refused' ? outcome.kind : outcome.result === 'broken' ? outcome.why : 'written';
  }
  return made;
}

export function everyRecipe(recipes: readonly SweepRecipeName[], outcome: string): Record<string, string> {
  return Object.fromEntries(recipes.map((recipe) => [recipe, outcome]));
}

/** The problem that a recipe reports. */
export async function problemOf(given: OnnxModel, recipe: SweepRecipeName, feeds = FEEDS) {
  const { folder, modelPath, dataPath } = filesOf(given, feeds);
  const task = {
    kind: 'quantize',
    modelPath,
    outputPath: join(folder, 'quantized.onnx'),
    ...(dataPath === undefined ? {} : { data: { spec: { path: dataPath }, split: 'calib' } }),
    recipe: SWEEP_RECIPES[recipe].recipe,
    threads: 1,
  } as const;
  const made = await attemptAsync(() => quantizeModel(task, { clock: systemClock, emit: () => {} }));
  if (made.ok) throw new Error('it was quantized');
  return { ...made.error, place: { ...made.error.place, file: undefined } };
}
