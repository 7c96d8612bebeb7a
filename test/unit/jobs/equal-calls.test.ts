import { describe, expect, it } from 'vitest';
import { equalCalls } from '../../../src/jobs/equal-calls.ts';
import type { KernelCall, OpProfile } from '../../../src/runtime/op-profile.ts';

const MATMUL: KernelCall = {
  node: 'm',
  op: 'MatMul',
  provider: 'CPUExecutionProvider',
  startNs: 0,
  durationNs: 2000,
  outputBytes: 0,
  inputShapes: '[{"float":[2,3]},{"float":[3,4]}]',
  outputShapes: '[{"float":[2,4]}]',
};

const profileOf = (...calls: Partial<KernelCall>[]): OpProfile => ({
  runs: [{ startNs: 0, durationNs: 0, calls: calls.map((call) => ({ ...MATMUL, ...call })) }],
  dispatches: [],
});

const NO_FACTS = () => undefined;

describe('equalCalls', () => {
  it('tells the work of a call by its shapes, and adds up calls of the same work whatever their nodes', () =>
    expect(equalCalls(profileOf({}, { node: 'other', durationNs: 3000 }), NO_FACTS)).toEqual([
      {
        op: 'MatMul',
        form: '',
        provider: 'CPUExecutionProvider',
        arithmetic: 'float32',
        calls: 2,
        seconds: expect.closeTo(5e-6, 12),
        flops: 2 * 2 * 3 * 4,
        bytes: 4 * (6 + 12 + 8),
      },
    ]));

  it('keeps other shapes and kinds of arithmetic apart', () => {
    const larger = { inputShapes: '[{"float":[4,3]},{"float":[3,4]}]', outputShapes: '[{"float":[4,4]}]' };
    const integer = { op: 'MatMulInteger', inputShapes: '[{"uint8":[2,3]},{"int8":[3,4]}]' };
    const calls = equalCalls(profileOf({}, larger, integer), NO_FACTS);
    expect(calls.map(({ flops, arithmetic }) => [flops, arithmetic])).toEqual([
      [48, 'float32'],
      [96, 'float32'],
      [48, 'int8'],
    ]);
  });

  it('takes the time of a body off the operator that holds it', () => {
    const inside = [
      { node: 'a', startNs: 1000, durationNs: 4000 },
      { node: 'loop', op: 'Loop', startNs: 6000, durationNs: 3000 },
      { node: 'b', startNs: 7000, durationNs: 1000 },
    ];
    const If = { node: 'if', op: 'If', startNs: 0, durationNs: 10_000 };
    const calls = equalCalls(profileOf(...inside, If, { startNs: 10_000, durationNs: 5000 }), NO_FACTS);
    const seconds = Object.fromEntries(calls.map((call) => [call.op, call.seconds]));
    expect(seconds['MatMul']).toBeCloseTo(10e-6, 12);
    expect(seconds['Loop']).toBeCloseTo(2e-6, 12);
    expect(seconds['If']).toBeCloseTo(3e-6, 12);
  });

  it('tells convolutions apart by their kernels, which the runtime may have packed away', () => {
    const conv = {
      op: 'Conv',
      inputShapes: '[{"float":[1,8,4,4]},{"float":[16,8,3,3]}]',
      outputShapes: '[{"float":[1,16,2,2]}]',
    };
    const packed = { ...conv, node: 'packed', inputShapes: '[{"float":[1,8,4,4]}]' };
    const facts = { weights: [{ type: 'float', dims: [8, 1, 1, 5] }] };
    const calls = equalCalls(profileOf(conv, packed), (node) => (node === 'packed' ? facts : undefined));
    expect(calls.map(({ form }) => form)).toEqual(['3×3', '1×5 depthwise']);
    const unknown = equalCalls(profileOf({ ...packed, node: 'other' }), NO_FACTS);
    expect(unknown).toMatchObject([{ form: '', flops: null }]);
  });

  it('takes the times of shaders, in even parts where a node had several shapes', () => {
    const other = { inputShapes: '[{"float":[4,3]},{"float":[3,4]}]', outputShapes: '[{"float":[4,4]}]' };
    const profile = profileOf({}, {}, other);
    const shader = { node: 'm', op: 'MatMul', shader: 's', startNs: 0, durationNs: 3e6 };
    const calls = equalCalls({ ...profile, dispatches: [shader, { ...shader, shader: 't' }] }, NO_FACTS);
    expect(calls.map(({ seconds }) => seconds)).toEqual([4e-3, 2e-3]);
  });
});
