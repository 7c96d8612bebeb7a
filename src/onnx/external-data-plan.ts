import { ProblemError } from '../core/problem.ts';
import { payloadSizeBytes } from './byte-source.ts';
import { isExternal, resolveExternalData } from './external-data.ts';
import { DATA_LOCATION, type Payload, type TensorProto } from './messages.ts';
import type { OnnxModel } from './model-file.ts';
import { readRawBytes } from './tensor-data.ts';
import { expectedSizeBytes, tensorLayout } from './tensor-layout.ts';
import { type TensorRole, walkTensors } from './traversal.ts';

/** One range of the data file. The payload is asked for when it is written, so that one at a time is in memory. */
interface DataRange {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly payload: () => Payload;
}

/** Which tensors of a model are written elsewhere or differently, and the data file that this makes. */
export interface ExternalDataPlan {
  /** What is written in place of a tensor. */
  readonly substitutes: ReadonlyMap<TensorProto, TensorProto>;
  readonly ranges: readonly DataRange[];
}

/** Decides for a tensor that is inline so far; `sizeBytes` is that of its raw data. */
export type MovesOut = (role: TensorRole, sizeBytes: number) => boolean;

/** External tensors become inline, wherever their data was. */
export function planInline(model: OnnxModel): ExternalDataPlan {
  const substitutes = new Map<TensorProto, TensorProto>();
  walkTensors(model.proto, (tensor) => {
    if (isExternal(tensor)) substitutes.set(tensor, inlineTensor(tensor, externalPayload(model, tensor)));
  });
  return { substitutes, ranges: [] };
}

/**
 * External tensors stay external, and the inline ones that `movesOut` picks become so; all of them lie in one file
 * named `location`, in the order of the model. Tensors that share a range go on sharing it.
 */
export function planExternal(model: OnnxModel, location: string, movesOut: MovesOut): ExternalDataPlan {
  const substitutes = new Map<TensorProto, TensorProto>();
  const ranges: DataRange[] = [];
  const shared = new Map<string, number>();
  let end = 0;

  const place = (sizeBytes: number, payload: () => Payload): number => {
    const offset = aligned(end, sizeBytes);
    ranges.push({ offset, sizeBytes, payload });
    end = offset + sizeBytes;
    return offset;
  };
  const placePayload = (payload: Payload): number => {
    const sizeBytes = payloadSizeBytes(payload);
    if (payload.kind === 'memory') return place(sizeBytes, () => payload);
    const key = `${payload.offset}:${sizeBytes}:${payload.file.path}`;
    const offset = shared.get(key) ?? place(sizeBytes, () => payload);
    shared.set(key, offset);
    return offset;
  };

  walkTensors(model.proto, (tensor, role) => {
    // A model made in memory may use one tensor in several places.
    if (substitutes.has(tensor)) return;
    if (isExternal(tensor)) {
      const payload = externalPayload(model, tensor);
      const sizeBytes = payloadSizeBytes(payload);
      // Nothing can be mapped from an empty range.
      const moved =
        sizeBytes === 0
          ? inlineTensor(tensor, payload)
          : externalTensor(tensor, location, placePayload(payload), sizeBytes);
      substitutes.set(tensor, moved);
      return;
    }
    const raw = rawPayload(model, tensor);
    if (raw === undefined || raw.sizeBytes === 0 || !movesOut(role, raw.sizeBytes)) return;
    const offset = raw.stored === undefined ? place(raw.sizeBytes, raw.convert) : placePayload(raw.stored);
    substitutes.set(tensor, externalTensor(tensor, location, offset, raw.sizeBytes));
  });
  return { substitutes, ranges };
}

/**
 * Where a range may start. Memory mapping needs the size of a page, and on Windows 64 KiB; for tensors of less than
 * 1 MiB, which are not worth mapping there, the smaller step wastes less.
 * Source: onnx/docs/ExternalData.md.
 */
function aligned(end: number, sizeBytes: number): number {
  const step = sizeBytes >= 2 ** 20 ? 65536 : 4096;
  return Math.ceil(end / step) * step;
}

interface RawPayload {
  readonly sizeBytes: number;
  /** The raw data where the model holds it in this form. */
  readonly stored?: Payload;
  readonly convert: () => Payload;
}

/** The raw data of an inline tensor; undefined where there is none, as with strings. */
function rawPayload(model: OnnxModel, tensor: TensorProto): RawPayload | undefined {
  const layout = tensorLayout(tensor.dataType);
  const sizeBytes = expectedSizeBytes(tensor);
  if (layout === undefined || sizeBytes === undefined) return undefined;
  const convert = (): Payload => {
    const bytes = readRawBytes(model, tensor);
    if (!bytes.ok) throw new ProblemError(bytes.error);
    return { kind: 'memory', bytes: bytes.value };
  };
  const isFixedWidth = layout.typedField === 'floatData' || layout.typedField === 'doubleData';
  const stored = tensor.rawData ?? (isFixedWidth ? tensor[layout.typedField] : undefined);
  if (stored !== undefined) return { sizeBytes: payloadSizeBytes(stored), stored, convert };
  return tensor[layout.typedField] === undefined ? undefined : { sizeBytes, convert };
}

function externalPayload(model: OnnxModel, tensor: TensorProto): Payload {
  const payload = resolveExternalData(model, tensor);
  if (!payload.ok) throw new ProblemError(payload.error);
  return payload.value;
}

const NO_DATA = {
  rawData: undefined,
  floatData: undefined,
  doubleData: undefined,
  int32Data: undefined,
  int64Data: undefined,
  uint64Data: undefined,
} as const;

function inlineTensor(tensor: TensorProto, rawData: Payload): TensorProto {
  return { ...tensor, ...NO_DATA, rawData, externalData: [], dataLocation: undefined };
}

function externalTensor(
  tensor: TensorProto,
  location: string,
  offset: number,
  sizeBytes: number,
): TensorProto {
  return {
    ...tensor,
    ...NO_DATA,
    dataLocation: DATA_LOCATION.external,
    externalData: [
      { key: 'location', value: location },
      { key: 'offset', value: String(offset) },
      { key: 'length', value: String(sizeBytes) },
    ],
  };
}
