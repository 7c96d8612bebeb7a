import { closeSync, fsyncSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { DATA_TYPE, type ModelProto, type SourceFile, type TensorProto } from '../../src/onnx/messages.ts';
import { tensorFrom } from '../../src/onnx/tensor-data.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import { graph, model, node, value } from '../support/graph-builder.ts';
import { unwrap } from '../support/unwrap.ts';

const WIDTH = 4096;
const MATRIX_BYTES = WIDTH * WIDTH * 4;
const BLOCKS = 24;

/** Of all weights. */
export const LARGE_MODEL_BYTES = 2 * BLOCKS * MATRIX_BYTES;

/**
 * Writes a model of 3 GiB with external data: 24 residual blocks of LayerNormalization, MatMul, Relu and MatMul, 4096
 * wide, input `x` float32 [N, 4096]. Weights are random within ±0.02, so that activations keep their size from block to
 * block. They are written in pieces of 1 MiB. Takes twice the size on the disk until it returns.
 */
export function writeLargeModel(path: string): void {
  const weights = writeWeights(`${path}.weights`);
  try {
    unwrap(writeModel({ path: undefined, proto: protoOf(weights) }, path));
  } finally {
    rmSync(weights.path);
  }
}

function writeWeights(path: string): SourceFile {
  const piece = new Float32Array(2 ** 18);
  const descriptor = openSync(path, 'w');
  let state = 1;
  try {
    for (let written = 0; written < LARGE_MODEL_BYTES; written += piece.byteLength) {
      for (let index = 0; index < piece.length; index++) {
        // xorshift32: fast, and no two pieces are alike.
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        piece[index] = (state / 2 ** 31) * 0.02;
      }
      writeSync(descriptor, piece);
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  const { size, mtimeMs, ino } = statSync(path);
  return { path, sizeBytes: size, mtimeMs, inode: ino };
}

function protoOf(weights: SourceFile): ModelProto {
  const matrix = (name: string, index: number): TensorProto => ({
    name,
    dims: [WIDTH, WIDTH],
    dataType: DATA_TYPE.float,
    stringData: [],
    externalData: [],
    metadataProps: [],
    rawData: { kind: 'file', file: weights, offset: index * MATRIX_BYTES, sizeBytes: MATRIX_BYTES },
  });
  const blocks = Array.from({ length: BLOCKS }, (_, index) => ({
    input: index === 0 ? 'x' : `block${index - 1}`,
    name: `block${index}`,
    index,
  }));
  const initializers = [
    tensorFrom('gamma', [WIDTH], new Float32Array(WIDTH).fill(1)),
    tensorFrom('beta', [WIDTH], new Float32Array(WIDTH)),
    ...blocks.flatMap(({ name, index }) => [
      matrix(`${name}_up`, 2 * index),
      matrix(`${name}_down`, 2 * index + 1),
    ]),
  ];
  const nodes = blocks.flatMap(({ input, name }) => [
    node('LayerNormalization', [input, 'gamma', 'beta'], [`${name}_norm`]),
    node('MatMul', [`${name}_norm`, `${name}_up`], [`${name}_wide`]),
    node('Relu', [`${name}_wide`], [`${name}_relu`]),
    node('MatMul', [`${name}_relu`, `${name}_down`], [`${name}_narrow`]),
    node('Add', [input, `${name}_narrow`], [name]),
  ]);
  const inputs = [value('x', 'float', ['N', WIDTH])];
  const outputs = [value(`block${BLOCKS - 1}`, 'float', ['N', WIDTH])];
  return model(graph({ inputs, nodes, outputs, initializers }), { opset: 17 }).proto;
}
