import { createReadStream } from 'node:fs';
import type { Problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { CapturedTrace, TraceCapture } from '../../jobs/capture/trace-capture.ts';
import type { OutgoingMessage, UnaryAnswer, UnaryMethod } from '../grpc/grpc-call.ts';
import { GRPC_CODE, type GrpcFailure } from '../grpc/grpc-status.ts';
import {
  decodeMonitorRequest,
  decodeProfileRequest,
  decodeTerminateRequest,
  emptyTraceField,
  encodeMonitorResponse,
  toolDataHead,
  xspaceHead,
} from './profiler-messages.ts';

/** What the service makes use of. */
export type Capturing = Pick<TraceCapture, 'capture' | 'terminate' | 'monitor'>;

/** The gRPC status of each kind of problem; what is not listed is this program's fault. */
const CODE_OF: Readonly<Record<string, GrpcFailure['code']>> = {
  'malformed-message': GRPC_CODE.invalidArgument,
  'capture-out-of-range': GRPC_CODE.invalidArgument,
  'capture-under-way': GRPC_CODE.resourceExhausted,
  'capture-too-large': GRPC_CODE.resourceExhausted,
  'unknown-capture': GRPC_CODE.notFound,
  cancelled: GRPC_CODE.cancelled,
  'daemon-stopping': GRPC_CODE.unavailable,
};

/**
 * TensorFlow's ProfilerService, as TensorBoard's *Capture profile* calls it. A trace is sent and never written where the
 * caller says.
 */
export function profilerService(capture: Capturing): ReadonlyMap<string, UnaryMethod> {
  const path = (method: string) => `/tensorflow.ProfilerService/${method}`;
  return new Map<string, UnaryMethod>([
    [path('Profile'), (request, signal) => profile(capture, request, signal)],
    [path('Terminate'), async (request) => terminate(capture, request)],
    [path('Monitor'), (request, signal) => monitor(capture, request, signal)],
  ]);
}

async function profile(
  capture: Capturing,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<Result<UnaryAnswer, GrpcFailure>> {
  const request = decodeProfileRequest(bytes);
  if (!request.ok) return failed(request.error);
  const { durationMs, startTimestampNs, sessionId, emitXspace } = request.value;
  const captured = await capture.capture(
    {
      // Beyond 2^53 both are out of range, however they are rounded.
      durationMs: Number(durationMs),
      startWallMs: Number(startTimestampNs) / 1e6,
      sessionId,
    },
    signal,
  );
  if (!captured.ok) return failed(captured.error);
  const { release } = captured.value;
  return ok({ message: profileResponse(captured.value, emitXspace), release });
}

function terminate(capture: Capturing, bytes: Uint8Array): Result<UnaryAnswer, GrpcFailure> {
  const sessionId = decodeTerminateRequest(bytes);
  if (!sessionId.ok) return failed(sessionId.error);
  const ended = capture.terminate(sessionId.value);
  return ended.ok ? ok({ message: messageOf([]) }) : failed(ended.error);
}

async function monitor(
  capture: Capturing,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<Result<UnaryAnswer, GrpcFailure>> {
  const durationMs = decodeMonitorRequest(bytes);
  if (!durationMs.ok) return failed(durationMs.error);
  const seen = await capture.monitor(Number(durationMs.value), signal);
  if (!seen.ok) return failed(seen.error);
  const { text, ...figures } = seen.value;
  return ok({ message: messageOf([encodeMonitorResponse(text, figures)]) });
}

/** The trace comes from the disk as it is sent. */
function profileResponse({ file, sizeBytes, isEmpty }: CapturedTrace, emitXspace: boolean): OutgoingMessage {
  if (isEmpty) return messageOf([emptyTraceField()]);
  const heads = [toolDataHead(sizeBytes), ...(emitXspace ? [xspaceHead(sizeBytes)] : [])];
  return {
    sizeBytes: heads.reduce((total, head) => total + head.length + sizeBytes, 0),
    pieces: eachBeforeFile(heads, file),
  };
}

async function* eachBeforeFile(heads: readonly Uint8Array[], file: string): AsyncGenerator<Uint8Array> {
  for (const head of heads) {
    yield head;
    yield* createReadStream(file) as AsyncIterable<Buffer>;
  }
}

function messageOf(pieces: readonly Uint8Array[]): OutgoingMessage {
  return { sizeBytes: pieces.reduce((total, { length }) => total + length, 0), pieces };
}

function failed({ kind, message, hint }: Problem): Result<never, GrpcFailure> {
  return err({
    code: CODE_OF[kind] ?? GRPC_CODE.internal,
    message: hint === undefined ? message : `${message}; ${hint}`,
  });
}
