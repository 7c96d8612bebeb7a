import type { Tensor as OrtTensor } from 'onnxruntime-node';
// The public API wraps this call in promises, checks and a turn of the event loop, about 2 µs a run: too much beside a model
// of 30 µs, and nothing that can be timed apart. The version of the package is pinned, and a test holds the two together.
import { type Binding, binding, initOrt } from 'onnxruntime-node/dist/binding.js';
import { ProblemError, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { ElementType, NamedTensors } from '../core/tensor.ts';
import { requireDevice } from './devices.ts';
import { thisMachine } from './machine.ts';
import { findProfile, type ProfileProblem } from './op-profile.ts';
import {
  fromOrt,
  type ModelPort,
  type SessionProblem,
  type SessionSettings,
  sessionOptions,
  toOrt,
} from './session.ts';
import { openingProblem, runningProblem } from './session-problems.ts';

/** A model loaded for measuring: every call is a plain, blocking call of the runtime. */
export interface BareSession {
  readonly inputs: readonly ModelPort[];
  readonly outputs: readonly ModelPort[];
  /** Converts feeds once. The function that comes back runs the model and throws a `ProblemError` where it fails. */
  prepare(feeds: NamedTensors): () => BareOutputs;
  /**
   * Ends the profile of a session that was opened with `profilePrefix`, once; later runs are as fast as without. The path
   * of the file that the runtime wrote. Errors: `profile-unreadable`.
   */
  endProfile(): Result<string, ProfileProblem>;
  close(): void;
}

/** Outputs as the runtime made them; `toTensors` converts them when they are wanted. */
export type BareOutputs = Readonly<Record<string, OrtTensor>>;

/** Element types by their number in `TensorProto.DataType` of onnx.proto. */
const TYPE_BY_NUMBER: Readonly<Record<number, ElementType>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
};

/** Loads a model file. Errors: those of `openSession`. Blocks its thread. */
export function openBareSession(
  path: string,
  settings: SessionSettings,
): Result<BareSession, SessionProblem> {
  const { device = 'cpu' } = settings;
  const present = device === 'cpu' ? ok(undefined) : requireDevice(device, thisMachine());
  if (!present.ok) return present;
  initOrt();
  const session = new binding.InferenceSession();
  try {
    session.loadModel(path, sessionOptions(settings));
  } catch (error) {
    return err(openingProblem(error, path, device));
  }
  const inputs = readPorts(session.inputMetadata, path);
  if (!inputs.ok) return inputs;
  const outputs = readPorts(session.outputMetadata, path);
  if (!outputs.ok) return outputs;
  const fetches = Object.fromEntries(outputs.value.map(({ name }) => [name, null]));
  const options = {};
  return ok({
    inputs: inputs.value,
    outputs: outputs.value,
    prepare: (feeds) => {
      const ready = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toOrt(tensor)]));
      return () => {
        try {
          return session.run(ready, fetches, options) as BareOutputs;
        } catch (error) {
          throw new ProblemError(runningProblem(error, path));
        }
      };
    },
    endProfile: () => {
      if (settings.profilePrefix === undefined)
        throw new Error('the session was opened without profilePrefix');
      session.endProfiling();
      return findProfile(settings.profilePrefix);
    },
    close: () => session.dispose(),
  });
}

export function toTensors(outputs: BareOutputs): NamedTensors {
  return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, fromOrt(value)]));
}

function readPorts(
  metadata: readonly Binding.ValueMetadata[],
  file: string,
): Result<readonly ModelPort[], SessionProblem> {
  const ports: ModelPort[] = [];
  for (const { name, isTensor, type: number, shape, symbolicDimensions } of metadata) {
    const type = isTensor ? TYPE_BY_NUMBER[number] : undefined;
    if (type === undefined) {
      const what = isTensor ? `the element type ${number} of ONNX` : 'a sequence, map or optional';
      return err(
        problem('unsupported-port', `'${name}' of the model is ${what}, which cannot be fed or read`, {
          place: { file, tensor: name },
          hint: 'only dense tensors of the ordinary types are supported at the edges of a model',
        }),
      );
    }
    const dims = shape.map((dim, axis) => (dim === -1 ? (symbolicDimensions[axis] as string) : dim));
    ports.push({ name, type, dims });
  }
  return ok(ports);
}
