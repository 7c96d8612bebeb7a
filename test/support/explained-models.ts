import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OnnxModel } from '../../src/onnx/model-file.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import { float32Npy, npz } from '../unit/data/npz-writer.ts';
import { graph, model, node, tensor, value } from './graph-builder.ts';
import { unwrap } from './unwrap.ts';

export const WIDTH = 8;

/** Weights between −1 and 1 that are the same each time. */
export function wave(count: number, pitch: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => Math.sin(i * pitch + 0.4));
}

const SIDE = [WIDTH, WIDTH] as const;
const weightsOf = (layer: number) => wave(WIDTH * WIDTH, 1.3 + layer);

/** x → MatMul → Relu → MatMul → MatMul → y. */
export function floatChain(): OnnxModel {
  return model(
    graph({
      inputs: [value('x', 'float', [1, WIDTH])],
      nodes: [
        node('MatMul', ['x', 'w0'], ['h0'], {}, { name: 'first' }),
        node('Relu', ['h0'], ['r0'], {}, { name: 'relu' }),
        node('MatMul', ['r0', 'w1'], ['h1'], {}, { name: 'second' }),
        node('MatMul', ['h1', 'w2'], ['y'], {}, { name: 'third' }),
      ],
      outputs: [value('y', 'float', [1, WIDTH])],
      initializers: [0, 1, 2].map((layer) => tensor(`w${layer}`, SIDE, weightsOf(layer))),
    }),
  );
}

/** The range of each tensor that is rounded, from −range to range, and from 0 for the result of the Relu. */
export interface ChainRanges {
  readonly x: number;
  readonly r0: number;
  readonly h1: number;
}

export const FITTING: ChainRanges = { x: 1, r0: 0.85, h1: 1.2 };

/** As tools write it: QuantizeLinear and DequantizeLinear around activations, weights as s8 with one scale; the Relu left to a grid. */
export function qdqChain(
  ranges: ChainRanges,
  coded: (layer: number) => CodedWeights = plainCodes,
): OnnxModel {
  const grids = { x: symmetric(ranges.x), h0: positive(ranges.r0), h1: symmetric(ranges.h1) };
  const pair = (name: string) => [
    node('QuantizeLinear', [name, `${name}_scale`, `${name}_zero`], [`${name}_q`]),
    node('DequantizeLinear', [`${name}_q`, `${name}_scale`, `${name}_zero`], [`${name}_dq`]),
  ];
  const product = (name: string, from: string, layer: number, to: string) => [
    node('DequantizeLinear', [`w${layer}_q`, `w${layer}_scale`], [`w${layer}_dq`]),
    node('MatMul', [from, `w${layer}_dq`], [to], {}, { name }),
  ];
  return model(
    graph({
      inputs: [value('x', 'float', [1, WIDTH])],
      nodes: [
        ...pair('x'),
        ...product('first', 'x_dq', 0, 'h0'),
        ...pair('h0'),
        ...product('second', 'h0_dq', 1, 'h1'),
        ...pair('h1'),
        ...product('third', 'h1_dq', 2, 'y'),
      ],
      outputs: [value('y', 'float', [1, WIDTH])],
      initializers: [
        ...[0, 1, 2].flatMap((layer) => {
          const { scale, codes } = coded(layer);
          return [tensor(`w${layer}_scale`, [], [scale]), tensor(`w${layer}_q`, SIDE, codes, 'int8')];
        }),
        ...Object.entries(grids).flatMap(([name, { scale, zero }]) => [
          tensor(`${name}_scale`, [], [scale]),
          tensor(`${name}_zero`, [], [zero], 'uint8'),
        ]),
      ],
    }),
  );
}

interface CodedWeights {
  readonly scale: number;
  readonly codes: readonly number[];
}

function codesOf(weights: readonly number[]): CodedWeights {
  const scale = Math.max(...weights.map(Math.abs)) / 127;
  return { scale, codes: weights.map((w) => Math.round(w / scale)) };
}

function plainCodes(layer: number): CodedWeights {
  return codesOf(weightsOf(layer));
}

/** The same with the channels of `h1` scaled by up to 8, as equalization does: its range is that of the scaled tensor. */
export function scaledCodes(layer: number): CodedWeights {
  const factor = (channel: number) => 2 ** ((channel % 4) - 1);
  const weights = weightsOf(layer).map((w, element) => {
    if (layer === 1) return w * factor(element % WIDTH);
    return layer === 2 ? w / factor(Math.floor(element / WIDTH)) : w;
  });
  return codesOf(weights);
}

function symmetric(range: number) {
  return { scale: (2 * range) / 255, zero: 128 };
}

function positive(range: number) {
  return { scale: range / 255, zero: 0 };
}

/** `eval/x` of so many samples between −1 and 1. */
export function writeChainSamples(folder: string, samples = 12): string {
  const path = join(folder, 'data.npz');
  writeFileSync(path, npz({ 'eval/x': float32Npy([samples, WIDTH], wave(samples * WIDTH, 0.77)) }));
  return path;
}

export function writeInto(folder: string, name: string, given: OnnxModel): string {
  const path = join(folder, name);
  unwrap(writeModel(given, path, { durable: false }));
  return path;
}
