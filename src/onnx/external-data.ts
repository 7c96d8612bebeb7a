import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { attempt, type Problem, ProblemError, problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import { describeFile, errorCode, type FileProblemKind } from './byte-source.ts';
import { DATA_LOCATION, type Payload, type StringStringEntryProto, type TensorProto } from './messages.ts';
import type { OnnxModel } from './model-file.ts';
import { expectedSizeBytes } from './tensor-layout.ts';
import { walkTensors } from './traversal.ts';

export type ExternalDataProblemKind =
  | FileProblemKind
  | 'external-data-outside-folder'
  | 'external-data-missing'
  | 'external-data-invalid'
  | 'external-data-out-of-range';

export function isExternal(tensor: TensorProto): boolean {
  return tensor.dataLocation === DATA_LOCATION.external;
}

/**
 * Finds the bytes of a tensor whose data lies outside the model's file, without reading them. The file must be
 * inside the model's folder after all symbolic links are followed; a model that is itself a link may have its data
 * beside what it points to, as download caches arrange it.
 * Source: onnx/docs/ExternalData.md.
 */
export function resolveExternalData(
  model: OnnxModel,
  tensor: TensorProto,
): Result<Payload, Problem<ExternalDataProblemKind>> {
  return attempt(() => {
    const entry = entriesOf(tensor);
    const path = locate(model, tensor, entry.get('location'));
    const file = describeDataFile(path, tensor);
    const offset = integerEntry(tensor, entry.get('offset'), 'offset') ?? 0;
    const rest = file.sizeBytes - offset;
    const sizeBytes =
      integerEntry(tensor, entry.get('length'), 'length') ?? expectedSizeBytes(tensor) ?? rest;
    if (sizeBytes > rest || rest < 0) {
      throw fault(
        'external-data-out-of-range',
        `The external data of tensor ${nameOf(tensor)} is at ${offset} to ${offset + sizeBytes}, beyond the end of its file of ${file.sizeBytes} bytes.`,
        tensor,
        'The data file belongs to another version of the model or was cut off: copy both files again.',
        path,
      );
    }
    return { kind: 'file', file, offset, sizeBytes };
  });
}

/**
 * The data files of a model as it names them, relative to its folder, each once. Those that lie outside the folder by
 * their name alone are left out: no such file is ever read.
 */
export function externalFilesOf(model: OnnxModel): readonly string[] {
  const locations = new Set<string>();
  const folder = dirname(resolve(model.path ?? 'model.onnx'));
  walkTensors(model.proto, (tensor) => {
    const location = isExternal(tensor) ? entriesOf(tensor).get('location') : undefined;
    if (location === undefined || location.includes('\0') || isAbsolute(location)) return;
    if (isInside(folder, resolve(folder, location))) locations.add(location);
  });
  return [...locations];
}

/** The `external_data` of a tensor by key; of a key that comes twice the last entry counts. */
function entriesOf(tensor: TensorProto): ReadonlyMap<string, string> {
  return new Map(
    tensor.externalData.map(({ key, value }: StringStringEntryProto) => [key ?? '', value ?? '']),
  );
}

function locate(model: OnnxModel, tensor: TensorProto, location: string | undefined): string {
  if (location === undefined || location === '' || location.includes('\0')) {
    throw fault(
      'external-data-invalid',
      `The external data of tensor ${nameOf(tensor)} names no file.`,
      tensor,
      'Export the model again.',
      model.path,
    );
  }
  if (model.path === undefined) {
    throw fault(
      'external-data-missing',
      `Tensor ${nameOf(tensor)} has external data, but the model was not read from a file.`,
      tensor,
      'Read the model from its folder.',
    );
  }
  const folder = dirname(resolve(model.path));
  const path = resolve(folder, location);
  // Checked before the file system is asked, so that nothing is learnt about files elsewhere.
  if (isAbsolute(location) || !isInside(folder, path)) throw outside(model.path, tensor, location);
  const real = realPath(path);
  if (real === undefined) throw missing(path, tensor);
  const folders = [realPath(folder), dirname(realPath(model.path) ?? model.path)];
  if (!folders.some((allowed) => allowed !== undefined && isInside(allowed, real))) {
    throw outside(model.path, tensor, location);
  }
  return real;
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Undefined when there is nothing at `path`. */
function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}

function describeDataFile(path: string, tensor: TensorProto) {
  try {
    return describeFile(path);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const found = error.problem as Problem<FileProblemKind>;
    throw new ProblemError({ ...found, place: { ...found.place, tensor: nameOf(tensor) } });
  }
}

function integerEntry(tensor: TensorProto, text: string | undefined, key: string): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw fault(
    'external-data-invalid',
    `The ${key} of the external data of tensor ${nameOf(tensor)} is ${JSON.stringify(text)}, expected an integer of 0 or more.`,
    tensor,
    'Export the model again.',
  );
}

function outside(
  file: string,
  tensor: TensorProto,
  location: string,
): ProblemError<'external-data-outside-folder'> {
  return fault(
    'external-data-outside-folder',
    `The external data of tensor ${nameOf(tensor)} is at ${JSON.stringify(location)}, which is outside the model's folder.`,
    tensor,
    'Put the data file beside the model and let the model name it by a relative path.',
    file,
  );
}

function missing(path: string, tensor: TensorProto): ProblemError<'external-data-missing'> {
  return fault(
    'external-data-missing',
    `The file with the data of tensor ${nameOf(tensor)} does not exist.`,
    tensor,
    'Copy the data file along with the model; it is a part of it.',
    path,
  );
}

function fault<K extends ExternalDataProblemKind>(
  kind: K,
  message: string,
  tensor: TensorProto,
  hint: string,
  file?: string,
): ProblemError<K> {
  const place = { tensor: nameOf(tensor), ...(file === undefined ? {} : { file }) };
  return new ProblemError(problem(kind, message, { place, hint }));
}

function nameOf(tensor: TensorProto): string {
  return tensor.name || '(unnamed)';
}
