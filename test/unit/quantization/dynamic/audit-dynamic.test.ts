import { describe, expect, it } from 'vitest';
import { auditDynamic } from '../../../../src/quantization/dynamic/audit-dynamic.ts';
import { graph, node } from '../../../support/graph-builder.ts';

describe('auditDynamic', () => {
  it('says which nodes the runtime did not fuse, and what they run as', () => {
    const optimized = graph({
      nodes: [
        node('DynamicQuantizeMatMul', ['x', 'a_quantized', 'a_scale'], ['p']),
        node('MatMulInteger', ['q', 'b_quantized', 'zero'], ['r']),
      ],
      outputs: [],
    });
    const of = (name: string) => ({ node: name, op: 'MatMul', weights: `${name}_quantized` });
    const audit = auditDynamic([of('a'), of('b'), of('c')], optimized);
    expect(audit.fused).toBe(1);
    expect(audit.kernels.map(({ kernel }) => kernel)).toEqual(['DynamicQuantizeMatMul', 'MatMulInteger', '']);
    expect(audit.notFused).toEqual([
      {
        node: 'b',
        op: 'MatMul',
        reason: 'the runtime runs it as MatMulInteger with steps around it that are not fused',
      },
      { node: 'c', op: 'MatMul', reason: 'the runtime has turned its int8 weights into another constant' },
    ]);
  });
});
