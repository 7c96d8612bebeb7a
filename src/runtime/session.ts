import { basename } from 'node:path';
import { InferenceSession as OrtSession, Tensor as OrtTensor } from 'onnxruntime-node';
import type { Device } from '../core/device.ts';
import { type Problem, ProblemError, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import {
  type ElementType,
  isElementType,
  type NamedTensors,
  type NumericArray,
  type RunBatch,
  type Tensor,
} from '../core/tensor.ts';
import { requireDevice } from './devices.ts';
import { thisMachine } from './machine.ts';
import { findProfile, type OpProfile, type ProfileProblem, takeOpProfile } from './op-profile.ts';
import { type OpeningProblem, openingProblem, runningProblem } from './session-problems.ts';

/** One input or output of a model. A dimension is a number, or its symbolic name when it varies. */
export interface ModelPort {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly (number | string)[];
}

export interface SessionSettings {
  /**
   * Where the model computes; the CPU unless set. All WebGPU sessions of a process must be opened and run in one thread
   * (`canShareAmongThreads`).
   */
  readonly device?: Device;
  /** Threads inside an operator; 0 lets the runtime take every core. */
  readonly intraOpThreads: number;
  /** How far the runtime may rewrite the graph. `extended` fuses, `all` also picks blocked layouts. */
  readonly graphOptimization?: 'disabled' | 'basic' | 'extended' | 'all';
  /** Where the runtime writes the graph that it will really run. */
  readonly optimizedModelPath?: string;
  /**
   * Load to look at the graph, not to run it: weights are not copied into the layouts of the kernels, and the optimized
   * model keeps the larger ones in a file beside it.
   */
  readonly inspectOnly?: boolean;
  /**
   * Let threads of the runtime sleep between operators instead of waiting busily for the next: for runs with work of another kind
   * between them.
   */
  readonly sleeps?: boolean;
  /** Compute in float between QuantizeLinear and DequantizeLinear, as they stand, instead of fusing them with what lies around them. */
  readonly keepsConversions?: boolean;
  /** The blocked-layout arena trades memory for speed; calibration of large models may switch it off. */
  readonly memoryArena?: boolean;
  /**
   * Makes the runtime time every kernel until `endProfile`. The path of the file that it writes meanwhile begins so; no
   * other file's may.
   */
  readonly profilePrefix?: string;
}

/** A model loaded into ONNX Runtime. `run` blocks its thread while the model computes. */
export interface Session {
  readonly inputs: readonly ModelPort[];
  readonly outputs: readonly ModelPort[];
  readonly run: RunBatch;
  /** Converts feeds once, so that a benchmark times the model and not the conversion. */
  prepare(feeds: NamedTensors): () => Promise<void>;
  /**
   * Ends the profile of a session that was opened with `profilePrefix`, once; later runs are as fast as without.
   * Errors: `profile-unreadable`.
   */
  endProfile(): Promise<Result<OpProfile, ProfileProblem>>;
  /** Likewise, but leaves the file that the runtime wrote where it is; its path. */
  endProfileFile(): Result<string, ProfileProblem>;
  close(): Promise<void>;
}

export type SessionProblem = OpeningProblem | Problem<'unsupported-port'>;

/**
 * Loads a model file on a device, and on no other: where the device is absent or cannot be used, nothing else takes its
 * place. Single operators that it has no kernel for do run on the CPU; `nodesByProvider` finds them.
 * Errors: `device-unavailable`, `model-rejected-by-runtime` with the runtime's own words, `unsupported-port` for
 * sequences, maps and element types that JavaScript has no array for.
 */
export async function openSession(
  path: string,
  settings: SessionSettings,
): Promise<Result<Session, SessionProblem>> {
  const { device = 'cpu' } = settings;
  const present = device === 'cpu' ? ok(undefined) : requireDevice(device, thisMachine());
  if (!present.ok) return present;
  let session: OrtSession;
  try {
    session = await OrtSession.create(path, sessionOptions(settings));
  } catch (error) {
    return err(openingProblem(error, path, device));
  }
  const inputs = readPorts(session.inputMetadata, path);
  if (!inputs.ok) return inputs;
  const outputs = readPorts(session.outputMetadata, path);
  if (!outputs.ok) return outputs;
  return ok(wrapSession(session, inputs.value, outputs.value, path, settings.profilePrefix));
}

/**
 * TensorRT leaves what it cannot compile to CUDA, as its documentation advises. `session.disable_cpu_ep_fallback` would
 * refuse every model that computes a shape on the way, so fallbacks are counted instead.
 */
const PROVIDERS: Readonly<Record<Device, readonly string[]>> = {
  cpu: ['cpu'],
  webgpu: ['webgpu'],
  cuda: ['cuda'],
  tensorrt: ['tensorrt', 'cuda'],
};

/** Every option of the runtime that sessions are opened with. */
export function sessionOptions(settings: SessionSettings): OrtSession.SessionOptions {
  return {
    executionProviders: PROVIDERS[settings.device ?? 'cpu'],
    graphOptimizationLevel: settings.graphOptimization ?? 'all',
    intraOpNumThreads: settings.intraOpThreads,
    interOpNumThreads: 1,
    enableCpuMemArena: settings.memoryArena ?? true,
    // The runtime writes to stderr by itself; 4 (fatal) leaves the reporting to the values returned here.
    logSeverityLevel: 4,
    ...(settings.optimizedModelPath === undefined
      ? {}
      : { optimizedModelFilePath: settings.optimizedModelPath }),
    ...extraOptions(settings),
    ...(settings.profilePrefix === undefined
      ? {}
      : { enableProfiling: true, profileFilePrefix: settings.profilePrefix }),
  };
}

/** Session configuration keys of ONNX Runtime, onnxruntime_session_options_config_keys.h. */
function extraOptions({
  inspectOnly,
  optimizedModelPath,
  keepsConversions,
  sleeps,
}: SessionSettings): Pick<OrtSession.SessionOptions, 'extra'> {
  const session = {
    ...(inspectOnly === true ? inspecting(optimizedModelPath) : {}),
    ...(keepsConversions === true ? { disable_quant_qdq: '1' } : {}),
    ...(sleeps === true ? { intra_op: { allow_spinning: '0' } } : {}),
  };
  return Object.keys(session).length === 0 ? {} : { extra: { session } };
}

function inspecting(optimizedModelPath: string | undefined): Readonly<Record<string, string>> {
  return {
    disable_prepacking: '1',
    ...(optimizedModelPath === undefined
      ? {}
      : {
          optimized_model_external_initializers_file_name: `${basename(optimizedModelPath)}.data`,
          optimized_model_external_initializers_min_size_in_bytes: '1024',
        }),
  };
}

function wrapSession(
  session: OrtSession,
  inputs: readonly ModelPort[],
  outputs: readonly ModelPort[],
  path: string,
  profilePrefix: string | undefined,
): Session {
  const invoke = async (feeds: Record<string, OrtTensor>) => {
    try {
      return await session.run(feeds);
    } catch (error) {
      throw new ProblemError(runningProblem(error, path));
    }
  };
  return {
    inputs,
    outputs,
    run: async (feeds) => {
      const results = await invoke(toOrtFeeds(feeds));
      return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, fromOrt(value)]));
    },
    prepare: (feeds) => {
      const ready = toOrtFeeds(feeds);
      return async () => {
        await invoke(ready);
      };
    },
    endProfile: async () => {
      if (profilePrefix === undefined) throw new Error('the session was opened without profilePrefix');
      session.endProfiling();
      return takeOpProfile(profilePrefix);
    },
    endProfileFile: () => {
      if (profilePrefix === undefined) throw new Error('the session was opened without profilePrefix');
      session.endProfiling();
      return findProfile(profilePrefix);
    },
    close: () => session.release(),
  };
}

function readPorts(
  metadata: readonly OrtSession.ValueMetadata[],
  file: string,
): Result<readonly ModelPort[], SessionProblem> {
  const ports: ModelPort[] = [];
  for (const port of metadata) {
    if (!port.isTensor || !isElementType(port.type)) {
      const what = port.isTensor ? `the element type ${port.type}` : 'a sequence, map or optional';
      return err(
        problem('unsupported-port', `'${port.name}' of the model is ${what}, which cannot be fed or read`, {
          place: { file, tensor: port.name },
          hint: 'only dense tensors of the ordinary types are supported at the edges of a model',
        }),
      );
    }
    ports.push({ name: port.name, type: port.type, dims: [...port.shape] });
  }
  return ok(ports);
}

function toOrtFeeds(feeds: NamedTensors): Record<string, OrtTensor> {
  return Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toOrt(tensor)]));
}

export function toOrt(tensor: Tensor): OrtTensor {
  // The constructor's overloads pair each type name with its array; `Tensor` keeps that pairing, which
  // TypeScript cannot see through the union.
  const make = OrtTensor as unknown as new (
    type: string,
    data: NumericArray | readonly string[],
    dims: readonly number[],
  ) => OrtTensor;
  if (tensor.type !== 'float16') return new make(tensor.type, tensor.data, tensor.dims);
  // Where JavaScript has a Float16Array (Node.js 24), the constructor makes one of the bits, which the native side of
  // version 1.30 does not know: it takes half floats as 16-bit integers alone.
  return Object.assign(new make('uint16', tensor.data, tensor.dims), { type: 'float16' });
}

export function fromOrt(value: OrtTensor): Tensor {
  const data = value.data as NumericArray | readonly string[];
  const type = value.type as ElementType;
  if (type !== 'float16' || data instanceof Uint16Array) return { type, dims: value.dims, data };
  const { buffer, byteOffset, length } = data as NumericArray;
  return { type, dims: value.dims, data: new Uint16Array(buffer, byteOffset, length) };
}
