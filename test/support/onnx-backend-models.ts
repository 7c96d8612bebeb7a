import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import { it } from 'vitest';
import { memorySource } from '../../src/onnx/byte-source.ts';
import { decodeMessage } from '../../src/onnx/decode.ts';
import type { TensorProto } from '../../src/onnx/messages.ts';
import type { OnnxModel } from '../../src/onnx/model-file.ts';
import { tensorSchema } from '../../src/onnx/schema.ts';
import { readTensorData } from '../../src/onnx/tensor-data.ts';
import { dataTypeName } from '../../src/onnx/tensor-layout.ts';
import { graphOf } from './chain.ts';
import type { Feeds } from './run-model.ts';
import { unwrap } from './unwrap.ts';

const KINDS = ['node', 'simple', 'light', 'pytorch-converted', 'pytorch-operator'] as const;

/** One case of ONNX's backend tests: a small model with data to run it on. */
export interface BackendCase {
  readonly kind: (typeof KINDS)[number];
  /** `test_abs`, `light_resnet50`, … */
  readonly name: string;
  readonly modelPath: string;
  readonly dataSets: readonly BackendDataSet[];
}

/** The files of one data set, in the order of the model's ports. See `feedsOf`. */
interface BackendDataSet {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** The folder that `generate-backend-models.py` wrote, from `PTQ_BACKEND_MODELS`; undefined where there is none. */
export function findBackendModels(): string | undefined {
  const folder = process.env['PTQ_BACKEND_MODELS'];
  if (folder !== undefined && !existsSync(folder)) {
    throw new Error(`PTQ_BACKEND_MODELS names ${folder}, which does not exist`);
  }
  return folder;
}

/** Every case in `folder`, by kind and name; none where there is no folder. */
export function listBackendModels(folder: string | undefined): readonly BackendCase[] {
  if (folder === undefined) return [];
  return KINDS.flatMap((kind) =>
    filesOf(join(folder, kind)).map((name) => {
      const directory = join(folder, kind, name);
      const dataSets = filesOf(directory).filter((entry) => entry.startsWith('test_data_set_'));
      return {
        kind,
        name,
        modelPath: join(directory, 'model.onnx'),
        dataSets: dataSets.map((entry) => dataSetIn(join(directory, entry))),
      };
    }),
  );
}

/** A test that is skipped with the reason where the models have not been generated. */
export function skipWithoutBackendModels(folder: string | undefined): void {
  const reason =
    'no backend models: run test/support/generate-backend-models.py and set PTQ_BACKEND_MODELS to its folder';
  it.skipIf(folder !== undefined)(`is not tested: ${reason}`, (context) => {
    context.skip(reason);
  });
}

/**
 * What a data set feeds to `model`; undefined where JavaScript cannot feed it: sequences, optionals, and element types
 * that onnxruntime-node has no array for.
 */
export function feedsOf(model: OnnxModel, { inputs }: BackendDataSet): Feeds | undefined {
  const graph = graphOf(model);
  const constants = new Set(graph.initializer.map(({ name }) => name));
  const fed =
    inputs.length === graph.input.length
      ? graph.input
      : graph.input.filter(({ name }) => !constants.has(name));
  const feeds: Record<string, Tensor> = {};
  for (const [index, path] of inputs.entries()) {
    const port = fed[index];
    const feed = port?.type?.tensorType === undefined ? undefined : readTensor(path);
    if (port?.name === undefined || feed === undefined) return undefined;
    feeds[port.name] = feed;
  }
  return feeds;
}

const FED_TYPES: ReadonlySet<string> = new Set([
  ...['float32', 'float64', 'float16', 'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64'],
  ...['uint64', 'bool', 'string'],
]);

/** A TensorProto in a file of its own; undefined for element types that cannot be fed. */
export function readTensor(path: string): Tensor | undefined {
  const proto = decodeMessage(tensorSchema, memorySource(readFileSync(path))) as unknown as TensorProto;
  const type = dataTypeName(proto.dataType);
  if (!FED_TYPES.has(type)) return undefined;
  const data = unwrap(readTensorData({ path, proto: {} as OnnxModel['proto'] }, proto));
  const make = Tensor as unknown as new (type: string, data: unknown, dims: readonly number[]) => Tensor;
  // Newer versions of Node.js would make a Float16Array of the bits: see `toOrt` of the runtime room.
  if (type !== 'float16') return new make(type, data, proto.dims);
  return Object.assign(new make('uint16', data, proto.dims), { type: 'float16' as const }) as Tensor;
}

function dataSetIn(directory: string): BackendDataSet {
  const files = filesOf(directory);
  const numbered = (what: string) =>
    files
      .filter((name) => name.startsWith(`${what}_`))
      .sort((a, b) => numberIn(a) - numberIn(b))
      .map((name) => join(directory, name));
  return { inputs: numbered('input'), outputs: numbered('output') };
}

function numberIn(name: string): number {
  return Number(/_(\d+)\.pb$/.exec(name)?.[1] ?? Number.NaN);
}

function filesOf(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).sort() : [];
}
