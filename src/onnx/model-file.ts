import { attempt, type Problem, ProblemError, problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import { type ByteSource, type FileProblemKind, memorySource, openFile } from './byte-source.ts';
import { decodeMessage } from './decode.ts';
import { encodeMessage, encodeToBytes } from './encode.ts';
import { describeForeignFile } from './foreign-files.ts';
import type { AnyMessage } from './message-schema.ts';
import type { ModelProto } from './messages.ts';
import { modelSchema } from './schema.ts';
import { WIRE_TYPE, type WireProblemKind, WireReader } from './wire.ts';

/** An ONNX model as it lies in its file: lossless, with large payloads still in the file. */
export interface OnnxModel {
  /** The file it was read from, against which external data is resolved. Undefined for a model made in memory. */
  readonly path: string | undefined;
  readonly proto: ModelProto;
}

export type ReadModelProblemKind = FileProblemKind | WireProblemKind | 'empty-file' | 'not-onnx';

/** Protobuf, and so ONNX Runtime, neither reads nor writes a message of more than 2^31 - 1 bytes. */
export const MAX_MODEL_FILE_BYTES = 2 ** 31 - 1;

/**
 * Opens an ONNX file. Only the structure is read: payloads of 4 KiB and more stay in the file and are read when they
 * are asked for, at which time a changed file gives `file-changed`. External data is not looked at.
 */
export function readModel(path: string): Result<OnnxModel, Problem<ReadModelProblemKind>> {
  return attempt(() => {
    const open = openFile(path);
    try {
      const proto = decodeModelProto({ ...open, sizeBytes: open.file.sizeBytes }, path);
      open.verify();
      return { path, proto };
    } finally {
      open.close();
    }
  });
}

/**
 * Decodes a model from memory. Payloads are views of `bytes`, which must not change while the model is used.
 * `path` is where the model counts as read from: problems name it and external data is resolved against it.
 */
export function decodeModel(
  bytes: Uint8Array,
  path?: string,
): Result<OnnxModel, Problem<ReadModelProblemKind>> {
  return attempt(() => ({ path, proto: decodeModelProto(memorySource(bytes), path) }));
}

/**
 * Encodes a model into one array, for small models and tests: `writeModel` streams. External data stays external.
 * Payloads that are still in a file are read, which gives the problems of a file that is gone or has changed.
 */
export function encodeModel(
  model: OnnxModel,
): Result<Uint8Array, Problem<FileProblemKind | 'model-too-large'>> {
  return attempt(() => {
    const message = model.proto as unknown as AnyMessage;
    const { sizeBytes } = encodeMessage(modelSchema, message);
    if (sizeBytes > MAX_MODEL_FILE_BYTES) throw tooLarge(sizeBytes, MAX_MODEL_FILE_BYTES, model.path);
    return encodeToBytes(modelSchema, message);
  });
}

export function tooLarge(
  sizeBytes: number,
  limitBytes: number,
  file: string | undefined,
): ProblemError<'model-too-large'> {
  return new ProblemError(
    problem(
      'model-too-large',
      `The model takes ${sizeBytes} bytes, and protobuf allows at most ${limitBytes} in one file.`,
      {
        ...(file === undefined ? {} : { place: { file } }),
        hint: 'Keep the weights as external data.',
      },
    ),
  );
}

function decodeModelProto(source: ByteSource, path: string | undefined): ModelProto {
  try {
    if (source.sizeBytes === 0) {
      throw new ProblemError(
        problem('empty-file', 'The file is empty.', { hint: 'Export or download the model again.' }),
      );
    }
    requireModel(source);
    return decodeMessage(modelSchema, source) as unknown as ModelProto;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    throw new ProblemError(completed(error.problem as Problem<ReadModelProblemKind>, path));
  }
}

/**
 * Goes over the fields of the outermost message only, which needs a few reads whatever the size, and tells apart what
 * is no ONNX model and what is a part of one.
 */
function requireModel(source: ByteSource): void {
  const found = { irVersion: false, implicitOpset: false, graph: false, opset: false };
  try {
    const reader = new WireReader(source);
    while (reader.position < source.sizeBytes) {
      const tag = reader.tag();
      if (tag === IR_VERSION_TAG) {
        found.irVersion = true;
        // Files of IR versions 1 and 2 use operator set 1 without saying so.
        found.implicitOpset = reader.int64() < 3;
        continue;
      }
      if (tag === GRAPH_TAG) found.graph = true;
      if (tag === OPSET_TAG) found.opset = true;
      reader.skipValue(tag, source.sizeBytes);
    }
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const { kind } = error.problem;
    // A length beyond the end is also what random bytes look like; a model says its version first.
    const isCutOff = kind === 'truncated' && (found.irVersion || found.graph);
    if (isCutOff || !WIRE_FAULTS.has(kind)) throw error;
    throw notOnnx(source, 'it is not a protobuf message');
  }
  if (!found.graph) throw notOnnx(source, 'it has no graph');
  if (!found.opset && !found.implicitOpset) throw notOnnx(source, 'it imports no operator set');
}

const IR_VERSION_TAG = (1 << 3) | WIRE_TYPE.varint;
const GRAPH_TAG = (7 << 3) | WIRE_TYPE.bytes;
const OPSET_TAG = (8 << 3) | WIRE_TYPE.bytes;
const WIRE_FAULTS: ReadonlySet<string> = new Set([
  'truncated',
  'malformed',
  'too-deep',
  'integer-out-of-range',
]);

function notOnnx(source: ByteSource, why: string): ProblemError<'not-onnx'> {
  const foreign = describeForeignFile(source.read(0, Math.min(64, source.sizeBytes)));
  return new ProblemError(
    problem('not-onnx', `The file is no ONNX model: ${why}.`, {
      hint: foreign ?? 'Check that it is an .onnx file and that it was downloaded or exported completely.',
    }),
  );
}

const HINTS: Partial<Record<ReadModelProblemKind, string>> = {
  truncated: 'The file was cut off: copy, download or export it again.',
  malformed: 'The file is damaged: copy, download or export it again.',
  'too-deep': 'No runtime reads this file: export the model with fewer nested graphs.',
  'too-large': 'Store large constants as tensors, not as attributes or text.',
  'integer-out-of-range': 'The file is damaged or hostile: check where it comes from.',
};

function completed(
  found: Problem<ReadModelProblemKind>,
  path: string | undefined,
): Problem<ReadModelProblemKind> {
  const hint = found.hint ?? HINTS[found.kind];
  return {
    ...found,
    ...(path === undefined ? {} : { place: { file: path, ...found.place } }),
    ...(hint === undefined ? {} : { hint }),
  };
}
