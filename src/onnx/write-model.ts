import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { attempt, type Problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import { type AtomicFile, createAtomicFile, syncFolder, type WriteProblemKind } from './atomic-file.ts';
import { type Encoding, encodeMessage } from './encode.ts';
import { externalFilesOf } from './external-data.ts';
import { type ExternalDataPlan, type MovesOut, planExternal, planInline } from './external-data-plan.ts';
import type { AnyMessage } from './message-schema.ts';
import { MAX_MODEL_FILE_BYTES, type OnnxModel, readModel, tooLarge } from './model-file.ts';
import { modelSchema } from './schema.ts';
import type { TensorDataProblemKind } from './tensor-data.ts';

export interface WriteModelOptions {
  /**
   * `keep` (the default) leaves every tensor as it is, inline or external, and moves initializers out only when the
   * file would be too large for protobuf otherwise. `inline` makes one file, `external` moves initializers out.
   */
  readonly externalData?: 'keep' | 'inline' | 'external';
  /** Initializers from this size on are moved out; 1024 unless told. */
  readonly externalThresholdBytes?: number;
  /** 2^31 - 1, the limit of protobuf, unless told. */
  readonly maxModelFileBytes?: number;
  /** False for a working file that nobody needs after a crash of the host: it does not wait for the disk. True unless told. */
  readonly durable?: boolean;
}

export interface WrittenModel {
  /** Size of the model's file without external data. */
  readonly sizeBytes: number;
  readonly externalSizeBytes: number;
  /** Where the external data went; undefined when there is none. */
  readonly externalDataPath: string | undefined;
}

export type WriteModelProblemKind = TensorDataProblemKind | WriteProblemKind | 'model-too-large';

/**
 * Writes a model to `path`, and its external data to `<path>.data`. Weights are copied from where they lie, in small
 * pieces, and may lie in the very files that are replaced. The files take their names when they are complete and on
 * disk, the data first and under a name that is free (`<path>.1.data` when need be), so that at no instant a model
 * without its data can be found; data that the replaced model had under such a name is removed at the end. On failure
 * nothing is changed.
 *
 * Constant nodes keep their tensors, as ONNX's own tools do, unless the file would be too large for protobuf.
 * `model` itself stays as it is: when it was read from `path`, read it again to go on working with it.
 */
export function writeModel(
  model: OnnxModel,
  path: string,
  options: WriteModelOptions = {},
): Result<WrittenModel, Problem<WriteModelProblemKind>> {
  return attempt(() => {
    const former = formerDataFiles(path);
    const dataPath = freeDataPath(path);
    const { plan, encoding } = planThatFits(model, path, basename(dataPath), options);
    const { durable = true } = options;
    let data: AtomicFile | undefined;
    let written: AtomicFile | undefined;
    let isComplete = false;
    try {
      if (plan.ranges.length > 0) {
        data = createAtomicFile(dataPath);
        writeRanges(plan, data);
        data.finish({ durable });
      }
      written = createAtomicFile(path);
      encoding.writeTo(written);
      written.finish({ durable });
      data?.publish();
      written.publish();
      isComplete = true;
    } finally {
      written?.discard();
      data?.discard();
      if (!isComplete && data !== undefined) rmSync(dataPath, { force: true });
    }
    if (durable) syncFolder(dirname(path));
    for (const file of former) rmSync(file, { force: true });
    return {
      sizeBytes: encoding.sizeBytes,
      externalSizeBytes: data?.sizeBytes ?? 0,
      externalDataPath: data === undefined ? undefined : dataPath,
    };
  });
}

/** Tries the ways of writing that the options allow, from the one that changes least, until the file is small enough. */
function planThatFits(
  model: OnnxModel,
  path: string,
  location: string,
  options: WriteModelOptions,
): { readonly plan: ExternalDataPlan; readonly encoding: Encoding } {
  const { externalData = 'keep', externalThresholdBytes = 1024 } = options;
  const nothing: MovesOut = () => false;
  const initializers: MovesOut = (role, size) => role === 'initializer' && size >= externalThresholdBytes;
  const everything: MovesOut = (role, size) =>
    role !== 'sparse-initializer' && size >= externalThresholdBytes;
  const external = (movesOut: MovesOut) => () => planExternal(model, location, movesOut);
  const plans = {
    inline: [() => planInline(model)],
    keep: [external(nothing), external(initializers), external(everything)],
    external: [external(initializers), external(everything)],
  }[externalData];

  const limit = options.maxModelFileBytes ?? MAX_MODEL_FILE_BYTES;
  let smallest = Number.POSITIVE_INFINITY;
  for (const makePlan of plans) {
    const plan = makePlan();
    const encoding = encodeMessage(modelSchema, model.proto as unknown as AnyMessage, plan.substitutes);
    if (encoding.sizeBytes <= limit) return { plan, encoding };
    smallest = Math.min(smallest, encoding.sizeBytes);
  }
  throw tooLarge(smallest, limit, path);
}

const ZEROS = new Uint8Array(65536);

function writeRanges(plan: ExternalDataPlan, data: AtomicFile): void {
  for (const range of plan.ranges) {
    data.write(ZEROS.subarray(0, range.offset - data.sizeBytes));
    data.writePayload(range.payload());
  }
}

/** The first of `<path>.data`, `<path>.1.data`, … that no file has. */
function freeDataPath(path: string): string {
  for (let number = 0; ; number++) {
    const candidate = number === 0 ? `${path}.data` : `${path}.${number}.data`;
    if (!existsSync(candidate)) return candidate;
  }
}

/** Data files of the model that lies at `path` now, of those that `writeModel` itself would have made for it. */
function formerDataFiles(path: string): readonly string[] {
  const base = basename(path);
  const isOwn = (name: string) => name.startsWith(base) && /^(\.\d+)?\.data$/.test(name.slice(base.length));
  if (!existsSync(path) || !readdirSync(dirname(path)).some(isOwn)) return [];
  const former = readModel(path);
  if (!former.ok) return [];
  return externalFilesOf(former.value)
    .filter(isOwn)
    .map((name) => join(dirname(path), name));
}
