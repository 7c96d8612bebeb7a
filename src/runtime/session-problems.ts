import type { Device } from '../core/device.ts';
import { type Problem, problem } from '../core/problem.ts';
import type { DeviceProblem } from './devices.ts';

export type OpeningProblem = Problem<'model-rejected-by-runtime'> | DeviceProblem;

/**
 * What the runtime says when a device fails and not the model: WebGPU's context finds no adapter or gets no device
 * (webgpu_context.cc), a provider's library cannot be loaded or refuses (provider_bridge_ort.cc), CUDA reports an error
 * (cuda_call.cc), the binding was built without the backend.
 */
const DEVICE_FAILURE =
  /webgpu_context\.cc|WebGPU (adapter|device)|Failed to load shared library|AppendExecutionProvider|CU(DA|DNN|BLAS) failure|backend not found/;

/** Written by cuda_call.cc, after the names of its C++ function: what failed, where, and the call. */
const CUDA_FAILURE = /(?<failure>CU\w* failure \d+: .*?) ; GPU=.* ; expr=(?<call>.*?);?\s*$/;

/** Dawn's words for a shader that computes with half floats on a driver that has none. */
const NO_HALF_FLOATS = /requires f16 but the device does not support it/;
const HALF_FLOAT_HINT =
  'this device cannot compute float16 models (it has no shader-f16): take a variant in float32 or with INT4 weights';

/** What an error of the runtime while it opens a model is to us: the device's or the model's fault. */
export function openingProblem(error: unknown, path: string, device: Device): OpeningProblem {
  const words = runtimeMessage(error);
  // A model that does not fit is no fault of the device.
  if (device !== 'cpu' && DEVICE_FAILURE.test(String(error)) && !/out of memory/i.test(words)) {
    return problem('device-unavailable', `the device ${device} cannot be used: ${words}`, {
      place: { file: path },
      hint: 'run `ptq-agent doctor`, which tells what each device needs and tries it',
    });
  }
  const where = device === 'cpu' ? '' : ` on ${device}`;
  return problem('model-rejected-by-runtime', `ONNX Runtime cannot load the model${where}: ${words}`, {
    place: { file: path },
    hint: NO_HALF_FLOATS.test(words)
      ? HALF_FLOAT_HINT
      : 'run `ptq-agent inspect` on the file, and check it with the ONNX checker of the tool that wrote it',
  });
}

/** What an error of the runtime while it computes is to us. */
export function runningProblem(error: unknown, path: string): Problem<'inference-failed'> {
  const words = runtimeMessage(error);
  return problem('inference-failed', `ONNX Runtime failed on this input: ${words}`, {
    place: { file: path },
    hint: NO_HALF_FLOATS.test(words)
      ? HALF_FLOAT_HINT
      : 'compare the shapes of the data with the inputs that `ptq-agent inspect` lists',
  });
}

/** The runtime's message without its file names and line numbers in C++, and without the condition that it checked. */
function runtimeMessage(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const firstLine = text.split('\n', 1)[0] ?? text;
  const { failure, call } = CUDA_FAILURE.exec(firstLine)?.groups ?? {};
  if (failure !== undefined) return `${failure} (${call})`;
  return firstLine
    .replace(/\/[^ ]*\.(cc|h):\d+ [^ (]+(\([^)]*\))?(::<lambda\(\)>)? ?/g, '')
    .replace(/^\S+ [=!]= \S+ was false\. (?=\S)/, '')
    .trim();
}
