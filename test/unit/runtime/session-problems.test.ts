import { describe, expect, it } from 'vitest';
import { openingProblem, runningProblem } from '../../../src/runtime/session-problems.ts';

describe('an error of the runtime', () => {
  /** As version 1.30 words them. */
  it.each([
    [
      'webgpu',
      '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::WebGpuContext::' +
        'Initialize(const onnxruntime::webgpu::WebGpuContextConfig&)::<lambda()> adapter_result.status == ' +
        'wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters\n',
    ],
    ['cuda', 'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library'],
    ['tensorrt', 'OrtSessionOptionsAppendExecutionProvider_TensorRT: Failed to load shared library'],
    ['cuda', 'no available backend found. ERR: [cuda] backend not found.'],
    [
      'cuda',
      '/core/providers/cuda/cuda_call.cc:129 CudaCall CUDA failure 35: CUDA driver version is insufficient',
    ],
  ] as const)("is the device's fault on %s: %s", (device, words) => {
    const { kind, message, hint } = openingProblem(new Error(words), 'm.onnx', device);
    expect(kind).toBe('device-unavailable');
    expect(message).toMatch(new RegExp(`^the device ${device} cannot be used: `));
    expect(message).not.toMatch(/\.cc:\d|\n/);
    expect(hint).toContain('ptq-agent doctor');
  });

  it('is told in words of CUDA, without those of the C++ that reports it', () => {
    const words =
      '/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:129 std::conditional_t<THRW, void, Status> onnxruntime::CudaCall(ERRTYPE, ' +
      'const char*, int) [with ERRTYPE = cudaError; bool THRW = true] CUDA failure 304: OS call failed or operation not supported on this OS ; ' +
      'GPU=-1 ; hostname=h ; file=/onnxruntime_src/a.cc ; line=352 ; expr=cudaSetDevice(info_.device_id); \n';
    expect(openingProblem(new Error(words), 'm.onnx', 'cuda').message).toBe(
      'the device cuda cannot be used: CUDA failure 304: OS call failed or operation not supported on this OS (cudaSetDevice(info_.device_id))',
    );
  });

  it('is told without the condition that the runtime checked', () => {
    const words =
      '/a/webgpu_context.cc:136 T::Initialize(const C&)::<lambda()> a.status == S::Ok was false. No adapter\n';
    expect(openingProblem(new Error(words), 'm.onnx', 'webgpu').message).toBe(
      'the device webgpu cannot be used: No adapter',
    );
  });

  it.each([
    ['cpu', 'Failed to load shared library'],
    ['webgpu', 'Load model from m.onnx failed:Protobuf parsing failed.'],
    ['cuda', 'CUDA failure 2: out of memory'],
  ] as const)("is the model's fault on %s: %s", (device, words) =>
    expect(openingProblem(new Error(words), 'm.onnx', device)).toMatchObject({
      kind: 'model-rejected-by-runtime',
      message: expect.stringContaining(words),
      hint: expect.stringContaining('inspect'),
    }),
  );

  it('says where a device has no half floats what to take instead, while loading and while running', () => {
    const error = new Error('Program Cast requires f16 but the device does not support it.');
    for (const { hint } of [openingProblem(error, 'm.onnx', 'webgpu'), runningProblem(error, 'm.onnx')]) {
      expect(hint).toMatch(/float16 .*float32 or with INT4/);
    }
    expect(runningProblem(new Error('Got invalid dimensions'), 'm.onnx').hint).toContain(
      'shapes of the data',
    );
  });
});
