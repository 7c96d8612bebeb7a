import { describe, expect, it } from 'vitest';
import { intAttributeProto } from '../../../../src/onnx/attributes.ts';
import { makeNode } from '../../../../src/onnx/make-node.ts';
import { tensorFrom } from '../../../../src/onnx/tensor-data.ts';
import {
  addedVector,
  type ConstantUse,
  convWeights,
  forEachPair,
  matrixWeights,
} from '../../../../src/quantization/tuning/constant-use.ts';

function nodeOf(opType: string, attributes: Readonly<Record<string, number>> = {}) {
  const attribute = Object.entries(attributes).map(([name, value]) => intAttributeProto(name, value));
  return makeNode(opType, { name: 'n', input: ['x', 'w'], output: ['y'], attribute });
}

function tensorOf(dims: readonly number[]) {
  const count = dims.reduce((product, dim) => product * dim, 1);
  return tensorFrom('w', dims, new Float32Array(count));
}

/** For each element the channels that it reads and makes, as `reads>makes`. */
function channelsOfElements(use: ConstantUse): readonly string[] {
  const found: string[] = [];
  forEachPair(use, (made, read, at) => {
    for (let i = at; i < at + use.layout.kernel; i++) {
      expect(found[i]).toBeUndefined();
      found[i] = `${read}>${made}`;
    }
  });
  return found;
}

describe('forEachPair', () => {
  it('finds the elements of a convolution with groups', () => {
    const use = convWeights(nodeOf('Conv', { group: 2 }), tensorOf([4, 2, 2]));
    expect(channelsOfElements(use)).toEqual([
      ...['0>0', '0>0', '1>0', '1>0', '0>1', '0>1', '1>1', '1>1'],
      ...['2>2', '2>2', '3>2', '3>2', '2>3', '2>3', '3>3', '3>3'],
    ]);
  });

  it('finds those of a depthwise convolution, each channel of which is read alone', () => {
    const use = convWeights(nodeOf('Conv', { group: 3 }), tensorOf([3, 1, 2]));
    expect(channelsOfElements(use)).toEqual(['0>0', '0>0', '1>1', '1>1', '2>2', '2>2']);
    expect(use.isOneToOne).toBe(true);
  });

  it('finds those of a matrix, and of one that a Gemm transposes', () => {
    const matrix = matrixWeights(nodeOf('MatMul'), tensorOf([3, 2]));
    expect(channelsOfElements(matrix)).toEqual(['0>0', '0>1', '1>0', '1>1', '2>0', '2>1']);
    const transposed = matrixWeights(nodeOf('Gemm', { transB: 1 }), tensorOf([2, 3]));
    expect(channelsOfElements(transposed)).toEqual(['0>0', '1>0', '2>0', '0>1', '1>1', '2>1']);
  });

  it('finds those of a vector, one a channel', () => {
    expect(channelsOfElements(addedVector(nodeOf('Add'), 1, tensorOf([2]), 2))).toEqual(['0>0', '1>1']);
  });
});
