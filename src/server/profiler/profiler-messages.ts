import { attempt, type Problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import {
  bytesOf,
  doubleField,
  lengthField,
  lengthFieldHead,
  numberOf,
  readFields,
  textOf,
  varintField,
  type WireField,
} from '../grpc/protobuf-fields.ts';

/** What of a ProfileRequest is heeded. Where to write, and what to call the host, is none of the caller's business. */
export interface ProfileRequest {
  /** 0 where it does not say. */
  readonly durationMs: bigint;
  /** Since the Unix epoch; 0 where it is to begin at once. */
  readonly startTimestampNs: bigint;
  /** What `Terminate` will name. */
  readonly sessionId: string;
  /** Whether the trace is wanted as a message too, beside the file. */
  readonly emitXspace: boolean;
}

/**
 * Reads a ProfileRequest: tsl/profiler/protobuf/profiler_service.proto and profiler_options.proto.
 * Problems: `malformed-message`.
 */
export function decodeProfileRequest(bytes: Uint8Array): Result<ProfileRequest, Problem> {
  return attempt(() => {
    const fields = [...readFields(bytes)];
    // Messages of one field, sent in pieces, are one message.
    const options = [...readFields(Buffer.concat(fields.filter(({ number }) => number === 4).map(bytesOf)))];
    const optionsDurationMs = lastNumber(options, 9);
    return {
      durationMs: optionsDurationMs === 0n ? lastNumber(fields, 1) : optionsDurationMs,
      startTimestampNs: lastNumber(options, 8),
      sessionId: lastText(fields, 6),
      emitXspace: lastNumber(fields, 9) !== 0n,
    };
  });
}

/** The session that a TerminateRequest names. Problems: `malformed-message`. */
export function decodeTerminateRequest(bytes: Uint8Array): Result<string, Problem> {
  return attempt(() => lastText([...readFields(bytes)], 1));
}

/** For how long a MonitorRequest wants to look, in milliseconds. Problems: `malformed-message`. */
export function decodeMonitorRequest(bytes: Uint8Array): Result<bigint, Problem> {
  return attempt(() => lastNumber([...readFields(bytes)], 1));
}

/** Of a field that stands in a message several times, the last counts; 0 where it does not stand there. */
function lastNumber(fields: readonly WireField[], number: number): bigint {
  return (
    fields
      .filter((field) => field.number === number)
      .map(numberOf)
      .at(-1) ?? 0n
  );
}

function lastText(fields: readonly WireField[], number: number): string {
  return (
    fields
      .filter((field) => field.number === number)
      .map(textOf)
      .at(-1) ?? ''
  );
}

/** The name under which clients take an XSpace out of the answer; they put the host's before it. */
const XSPACE_TOOL = 'xplane.pb';

/**
 * What comes before the XSpace in a ProfileResponse: a `tool_data` with a name, and then its data, of which the bytes follow.
 * With it the message has `head.length + xspaceBytes` bytes.
 */
export function toolDataHead(xspaceBytes: number): Uint8Array {
  const name = lengthField(1, XSPACE_TOOL);
  const dataHead = lengthFieldHead(2, xspaceBytes);
  const toolData = lengthFieldHead(6, name.length + dataHead.length + xspaceBytes);
  return Buffer.concat([toolData, name, dataHead]);
}

/** What comes before the XSpace where it is a field of the ProfileResponse. */
export function xspaceHead(xspaceBytes: number): Uint8Array {
  return lengthFieldHead(8, xspaceBytes);
}

/** `empty_trace`: clients say "No trace event was collected" and try again. */
export function emptyTraceField(): Uint8Array {
  return varintField(7, 1);
}

/** What a MonitorResponse tells beside its text. */
export interface MonitorFigures {
  readonly deviceIdlePercent?: number;
  readonly stepMs?: { readonly avg: number; readonly min: number; readonly max: number };
}

const RESPONSE_TYPE = { empty: 0, utilAndIdle: 2, utilIdleAndStep: 3 } as const;

/** A MonitorResponse: text for people, and the figures of `monitor_result`. */
export function encodeMonitorResponse(
  text: string,
  { deviceIdlePercent, stepMs }: MonitorFigures,
): Uint8Array {
  const { empty, utilAndIdle, utilIdleAndStep } = RESPONSE_TYPE;
  const type = stepMs !== undefined ? utilIdleAndStep : deviceIdlePercent !== undefined ? utilAndIdle : empty;
  const result = Buffer.concat([
    varintField(1, type),
    ...(deviceIdlePercent === undefined ? [] : [doubleField(2, deviceIdlePercent)]),
    ...(stepMs === undefined
      ? []
      : [doubleField(4, stepMs.avg), doubleField(5, stepMs.min), doubleField(6, stepMs.max)]),
  ]);
  return Buffer.concat([lengthField(1, text), lengthField(10, result)]);
}
