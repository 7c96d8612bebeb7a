import { describe, expect, it } from 'vitest';
import { nodesByProvider } from '../../../src/runtime/nodes-by-provider.ts';
import type { KernelCall } from '../../../src/runtime/op-profile.ts';

type Shapes = readonly Readonly<Record<string, readonly number[]>>[];

const GPU = 'WebGpuExecutionProvider';
const CPU = 'CPUExecutionProvider';

function call(
  op: string,
  provider: string,
  inputs: Shapes = [{ float: [1, 4] }],
  outputs = inputs,
): KernelCall {
  return {
    node: op.toLowerCase(),
    op,
    provider,
    startNs: 0,
    durationNs: 1,
    outputBytes: 0,
    inputShapes: JSON.stringify(inputs),
    outputShapes: JSON.stringify(outputs),
  };
}

/** A profile with one run for each list of calls. */
function profile(...runs: readonly (readonly KernelCall[])[]) {
  return {
    runs: runs.map((calls) => ({ startNs: 0, durationNs: 1, calls })),
    dispatches: [],
    arenaBytes: {},
  };
}

describe('nodes by provider', () => {
  it('counts each node once, however often it ran, and copies not at all', () => {
    const run = [
      call('Conv', GPU),
      call('Relu', GPU),
      call('MemcpyToHost', GPU),
      call('Hardmax', CPU),
      call('MemcpyFromHost', GPU),
    ];
    expect(nodesByProvider(profile(run, run), 'webgpu')).toEqual({
      byProvider: { [GPU]: { count: 2, nodes: ['conv', 'relu'] }, [CPU]: { count: 1, nodes: ['hardmax'] } },
      fellBack: [{ node: 'hardmax', op: 'Hardmax', provider: CPU }],
      hostNodes: [],
      copiesPerRun: 2,
    });
  });

  it('finds no fallback where all ran on the device, nor on the CPU itself', () => {
    expect(nodesByProvider(profile([call('Conv', GPU)]), 'webgpu').fellBack).toEqual([]);
    expect(nodesByProvider(profile([call('Conv', CPU)]), 'cpu')).toMatchObject({
      byProvider: { [CPU]: { count: 1 } },
      fellBack: [],
      hostNodes: [],
    });
  });

  it('finds it where nothing at all ran on the device', () =>
    expect(nodesByProvider(profile([call('Conv', CPU)]), 'cuda').fellBack).toHaveLength(1));

  it('counts what TensorRT left to CUDA, with the provider that ran it', () => {
    const run = [call('TRTKernel_0', 'TensorrtExecutionProvider'), call('NonZero', 'CUDAExecutionProvider')];
    expect(nodesByProvider(profile(run), 'tensorrt').fellBack).toEqual([
      { node: 'nonzero', op: 'NonZero', provider: 'CUDAExecutionProvider' },
    ]);
  });

  it.each([
    ['Shape of any tensor', call('Shape', CPU, [{ float: [1, 3, 224, 224] }], [{ int64: [4] }])],
    ['the choice of a dimension', call('Gather', CPU, [{ int64: [4] }, { int64: [] }], [{ int64: [] }])],
    ['any small operator on integers', call('TopK', CPU, [{ int64: [100] }], [{ int32: [1] }])],
    ['a comparison of sizes', call('And', CPU, [{ bool: [] }, { bool: [] }], [{ bool: [] }])],
    ['a scale of sizes', call('Mul', CPU, [{ float: [4] }, { float: [8] }], [{ float: [8] }])],
    ['a size that becomes a float', call('Cast', CPU, [{ int64: [2] }], [{ float: [2] }])],
    ['If, whose bodies are listed beside it', call('If', CPU, [{ bool: [] }], [{ float: [1, 1000] }])],
  ])('leaves to the host %s', (_what, host) => {
    const { fellBack, hostNodes } = nodesByProvider(profile([call('Conv', GPU), host]), 'webgpu');
    expect(fellBack).toEqual([]);
    expect(hostNodes).toEqual([{ node: host.node, op: host.op, provider: CPU }]);
  });

  it.each([
    ['floats of two dimensions', call('Mul', CPU, [{ float: [1, 4] }])],
    ['integers of two dimensions', call('Mul', CPU, [{ int64: [1, 4] }])],
    ['more integers than a shape has', call('Mul', CPU, [{ int64: [101] }])],
    ['more floats than a shape has', call('Mul', CPU, [{ float: [9] }])],
    ['what no size is computed with', call('Softmax', CPU, [{ float: [4] }])],
    ['a search in floats for an index', call('ArgMax', CPU, [{ float: [1, 10] }], [{ int64: [1] }])],
    ['a tensor that is filled', call('ConstantOfShape', CPU, [{ int64: [2] }], [{ float: [64, 64] }])],
    ['a kernel that tells no shapes', call('Mul', CPU, [])],
    ['small integers on another device', call('Mul', 'CUDAExecutionProvider', [{ int64: [4] }])],
  ])('takes for a fallback %s', (_what, work) =>
    expect(nodesByProvider(profile([work]), 'webgpu')).toMatchObject({
      fellBack: [{ op: work.op }],
      hostNodes: [],
    }),
  );

  it('takes a node for a fallback if one of its calls is, before or after others', () => {
    const small = call('Mul', CPU, [{ int64: [4] }]);
    const large = call('Mul', CPU, [{ int64: [4000] }]);
    for (const runs of [
      [[small], [large]],
      [[large], [small]],
    ]) {
      expect(nodesByProvider(profile(...runs), 'webgpu')).toMatchObject({
        fellBack: [{ node: 'mul' }],
        hostNodes: [],
      });
    }
  });

  it('tells the copies of the last run, as the first makes some of its own', () => {
    const first = [call('MemcpyFromHost', GPU), call('MemcpyFromHost', GPU), call('Conv', GPU)];
    expect(nodesByProvider(profile(first, first.slice(1)), 'webgpu').copiesPerRun).toBe(1);
    expect(nodesByProvider(profile(), 'webgpu')).toEqual({
      byProvider: {},
      fellBack: [],
      hostNodes: [],
      copiesPerRun: 0,
    });
  });
});
