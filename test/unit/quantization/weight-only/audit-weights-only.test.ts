import { describe, expect, it } from 'vitest';
import { auditWeightsOnly } from '../../../../src/quantization/weight-only/audit-weights-only.ts';
import { graph, node, value } from '../../../support/graph-builder.ts';

const REASON = 'the runtime dequantizes its weights and multiplies in float';

const nbits = (name: string) =>
  node('MatMulNBits', ['x', 'codes', 'scales'], ['y'], {}, { name, domain: 'com.microsoft' });
const dequantize = node('DequantizeLinear', ['codes', 'scales'], ['w_dequantized']);
const product = (opType: string, name: string, domain = '') =>
  node(opType, ['x', 'w_dequantized'], ['y'], {}, { name, domain });
const graphWith = (...nodes: ReturnType<typeof node>[]) =>
  graph({ inputs: [value('x')], nodes, outputs: [value('y')] });

describe('auditWeightsOnly', () => {
  it('counts a MatMulNBits as computed from packed weights', () => {
    const written = graphWith(nbits('fc'));
    expect(auditWeightsOnly([{ node: 'fc', op: 'Gemm' }], written, written)).toEqual({
      fused: 1,
      notFused: [],
    });
  });

  it('counts a product that the runtime merged with its DequantizeLinear, under whatever name', () => {
    const written = graphWith(dequantize, product('MatMul', 'fc'));
    for (const name of ['fc', 'fc_fused', '']) {
      const audit = auditWeightsOnly([{ node: 'fc', op: 'MatMul' }], written, graphWith(nbits(name)));
      expect(audit, name).toEqual({ fused: 1, notFused: [] });
    }
  });

  it('names a product that still reads dequantized weights, by its first operator', () => {
    const written = graphWith(dequantize, product('Gemm', 'fc'));
    expect(auditWeightsOnly([{ node: 'fc', op: 'Gemm' }], written, written)).toEqual({
      fused: 0,
      notFused: [{ node: 'fc', op: 'Gemm', reason: REASON }],
    });
  });

  it('is not misled by a float product that the runtime merged with what follows it, and renamed', () => {
    const written = graphWith(dequantize, product('Gemm', 'fc'));
    const optimized = graphWith(dequantize, product('FusedGemm', 'fused fc', 'com.microsoft'));
    expect(auditWeightsOnly([{ node: 'fc', op: 'Gemm' }], written, optimized)).toEqual({
      fused: 0,
      notFused: [{ node: 'fc', op: 'Gemm', reason: REASON }],
    });
  });

  it('is not misled by weights that the runtime dequantized while it loaded the model', () => {
    const written = graphWith(dequantize, product('MatMul', 'fc'));
    const folded = graphWith(product('MatMul', 'fc'));
    expect(auditWeightsOnly([{ node: 'fc', op: 'MatMul' }], written, folded)).toMatchObject({ fused: 0 });
  });

  it('finds nothing in nothing', () => {
    expect(auditWeightsOnly([], graphWith(), graphWith())).toEqual({ fused: 0, notFused: [] });
  });
});
