import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tensor } from 'onnxruntime-node';
import { memorySource } from '../../src/onnx/byte-source.ts';
import { decodeMessage } from '../../src/onnx/decode.ts';
import {
  DATA_TYPE,
  type GraphProto,
  type TensorProto,
  type ValueInfoProto,
} from '../../src/onnx/messages.ts';
import { encodeModel, type OnnxModel, readModel } from '../../src/onnx/model-file.ts';
import { tensorSchema } from '../../src/onnx/schema.ts';
import { bytesOf, npy, npz } from '../unit/data/npz-writer.ts';
import { graphOf } from './chain.ts';
import { node, tensor } from './graph-builder.ts';
import { type BackendCase, feedsOf } from './onnx-backend-models.ts';
import { copyOf } from './quantize-in-memory.ts';
import { type Feeds, runModel } from './run-model.ts';
import { unwrap } from './unwrap.ts';

/** A model file to quantize, with what it is run on. */
export interface SweepSubject {
  readonly modelPath: string;
  /** What the model is run on; absent where JavaScript cannot feed it. */
  readonly feeds?: Feeds;
  /** The same as an archive with one sample, where an archive can hold it. */
  readonly dataPath?: string;
}

/**
 * `given`: the case as it is. `constants`: what it feeds beside the first float input is made part of the model, so that
 * weights are constants as they are in real models. `between`: the same with a Conv or MatMul before and behind it, so
 * that a recipe for weights has something to do around every operator.
 */
export const SWEEP_FORMS = ['given', 'constants', 'between'] as const;

export type SweepForm = (typeof SWEEP_FORMS)[number];

/** Writes one form of a backend case into `folder`; undefined where the case does not have that form. */
export async function writeSubject(
  entry: BackendCase,
  form: SweepForm,
  folder: string,
): Promise<SweepSubject | undefined> {
  const model = unwrap(readModel(entry.modelPath));
  const given = entry.dataSets[0] && feedsOf(model, entry.dataSets[0]);
  if (form === 'given') return { modelPath: entry.modelPath, ...dataOf(model, given, folder) };
  if (given === undefined) return undefined;
  const made = withConstants(copyOf(model), entry, given);
  if (made === undefined && form === 'constants') return undefined;
  const { model: inner, feeds } = made ?? { model: copyOf(model), feeds: given };
  const result = form === 'constants' ? inner : await between(inner, feeds);
  if (result === undefined) return undefined;
  const modelPath = join(folder, `${form}.onnx`);
  writeFileSync(modelPath, unwrap(encodeModel(result)));
  return { modelPath, ...dataOf(result, feeds, folder) };
}

/** Undefined where the case has no second input. */
function withConstants(
  model: OnnxModel,
  { dataSets }: BackendCase,
  feeds: Feeds,
): { readonly model: OnnxModel; readonly feeds: Feeds } | undefined {
  const graph = graphOf(model);
  const constants = new Set(graph.initializer.map(({ name }) => name));
  const files = dataSets[0]?.inputs ?? [];
  const fed =
    files.length === graph.input.length
      ? graph.input
      : graph.input.filter(({ name }) => !constants.has(name));
  const kept = fed.find((port) => elementTypeOf(port) === DATA_TYPE.float) ?? fed[0];
  const rest = fed.filter((port) => port !== kept);
  const keptFeed = feeds[kept?.name ?? ''];
  if (kept?.name === undefined || keptFeed === undefined || rest.length === 0) return undefined;
  const moved = fed.flatMap((port, index) =>
    port === kept ? [] : [{ ...readProto(files[index] ?? ''), name: port.name ?? '' }],
  );
  const names = new Set(moved.map(({ name }) => name));
  graph.input = graph.input.filter(({ name }) => !names.has(name ?? ''));
  graph.initializer = [...graph.initializer.filter(({ name }) => !names.has(name ?? '')), ...moved];
  // Before version 4 every initializer had to be an input, too.
  model.proto.irVersion = Math.max(4, model.proto.irVersion ?? 0);
  return { model, feeds: { [kept.name]: keptFeed } };
}

function readProto(path: string): TensorProto {
  return decodeMessage(tensorSchema, memorySource(readFileSync(path))) as unknown as TensorProto;
}

/** Undefined where the first input or output is no float tensor of two dimensions or more. */
async function between(model: OnnxModel, feeds: Feeds): Promise<OnnxModel | undefined> {
  const graph = graphOf(model);
  const input = graph.input.find(({ name }) => Object.hasOwn(feeds, name ?? ''));
  const output = graph.output[0];
  const fed = feeds[input?.name ?? ''];
  if (input?.name === undefined || output?.name === undefined || fed === undefined) return undefined;
  const result = await runModel(model, feeds).catch(() => undefined);
  const given = result?.[output.name];
  if (!isWide(fed) || given === undefined || !isWide(given)) return undefined;
  if (output.name === input.name || graph.initializer.some(({ name }) => name === output.name))
    return undefined;
  const inner = { from: `${input.name}_sweep_in`, to: `${output.name}_sweep_out` };
  renameTensor(graph, input.name, inner.from);
  renameTensor(graph, output.name, inner.to);
  const before = mixing(input.name, inner.from, fed.dims);
  const behind = mixing(inner.to, output.name, given.dims);
  graph.node = [before.node, ...graph.node, behind.node];
  graph.initializer = [...graph.initializer, before.weights, behind.weights];
  graph.valueInfo = graph.valueInfo.filter(({ name }) => name !== inner.from && name !== inner.to);
  model.proto.irVersion = Math.max(4, model.proto.irVersion ?? 0);
  return model;
}

function isWide({ type, dims, size }: Tensor): boolean {
  return type === 'float32' && dims.length >= 2 && size > 0 && (channelsOf(dims) ?? 0) <= 256;
}

function channelsOf(dims: readonly number[]): number | undefined {
  return dims.length === 4 ? dims[1] : dims.at(-1);
}

/** A node that mixes channels a little: a Conv for four dimensions, otherwise a MatMul. */
function mixing(from: string, to: string, dims: readonly number[]) {
  const size = channelsOf(dims) ?? 0;
  const isConv = dims.length === 4;
  const name = `${to}_sweep_weights`;
  const values = Array.from({ length: size * size }, (_, index) => {
    const isDiagonal = Math.floor(index / size) === index % size;
    return (isDiagonal ? 1 : 0) + 0.05 * Math.sin(index * 2.3 + 1);
  });
  return {
    node: node(isConv ? 'Conv' : 'MatMul', [from, name], [to], {}, { name: `${to}_sweep` }),
    weights: tensor(name, isConv ? [size, size, 1, 1] : [size, size], values),
  };
}

/** Renames a tensor wherever nodes of the graph name it, in bodies too; the graph's ports keep their names. */
function renameTensor({ node: nodes }: GraphProto, from: string, to: string): void {
  for (const each of nodes) {
    each.input = each.input.map((name) => (name === from ? to : name));
    each.output = each.output.map((name) => (name === from ? to : name));
    for (const { g, graphs } of each.attribute) {
      for (const body of [...(g === undefined ? [] : [g]), ...graphs]) renameTensor(body, from, to);
    }
  }
}

function elementTypeOf({ type }: ValueInfoProto): number | undefined {
  return type?.tensorType?.elemType;
}

function dataOf(
  model: OnnxModel,
  feeds: Feeds | undefined,
  folder: string,
): Pick<SweepSubject, 'feeds' | 'dataPath'> {
  if (feeds === undefined) return {};
  const archive = archiveOf(model, feeds);
  if (archive === undefined) return { feeds };
  const dataPath = join(folder, 'data.npz');
  writeFileSync(dataPath, archive);
  return { feeds, dataPath };
}

/** An archive whose split `calib` holds one sample; undefined where an archive cannot feed that to the model. */
export function archiveOf(model: OnnxModel, feeds: Feeds): Uint8Array | undefined {
  const arrays: Record<string, Uint8Array> = {};
  for (const [name, feed] of Object.entries(feeds)) {
    const array = arrayOf(model, name, feed);
    if (array === undefined) return undefined;
    arrays[`calib/${name}`] = array;
  }
  return Object.keys(arrays).length === 0 ? undefined : npz(arrays);
}

const NPY_TYPES: Readonly<Record<string, string>> = {
  float32: '<f4',
  float64: '<f8',
  float16: '<f2',
  int8: '|i1',
  uint8: '|u1',
  int16: '<i2',
  uint16: '<u2',
  int32: '<i4',
  uint32: '<u4',
  int64: '<i8',
  uint64: '<u8',
  bool: '|b1',
};

/** One sample as an array; undefined for types and shapes that no archive can hold for this input. */
function arrayOf(model: OnnxModel, name: string, { type, dims, data }: Tensor): Uint8Array | undefined {
  const descr = NPY_TYPES[type];
  if (descr === undefined || dims.includes(0)) return undefined;
  const port = graphOf(model).input.find((input) => input.name === name);
  const isRankKnown = port?.type?.tensorType?.shape !== undefined;
  // For an input of unknown rank the samples lie along the first dimension that is fed.
  if (!isRankKnown && dims.length > 0 && dims[0] !== 1) return undefined;
  const shape = isRankKnown || dims.length === 0 ? [1, ...dims] : dims;
  return npy(descr, shape, bytesOf(data as unknown as Uint8Array));
}
