import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { asError } from '../../core/as-error.ts';
import type { Logger } from '../../core/log.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { GRPC_CODE, type GrpcFailure, statusHeaders, timeoutMs } from './grpc-status.ts';

/** A message on its way out, in pieces, so that one of a gigabyte takes no memory. */
export interface OutgoingMessage {
  /** Of all pieces together. */
  readonly sizeBytes: number;
  readonly pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** A method that takes one message and answers with one. */
export type UnaryMethod = (
  request: Uint8Array,
  /** Aborted when nobody waits for the answer any more. */
  signal: AbortSignal,
) => Promise<Result<UnaryAnswer, GrpcFailure>>;

export interface UnaryAnswer {
  readonly message: OutgoingMessage;
  /** Called once the answer has gone, or cannot go. */
  readonly release?: () => Promise<void>;
}

export interface CallLimits {
  readonly maxRequestBytes: number;
  /** How long a caller may take to send its request. */
  readonly requestWithinMs: number;
  /** How long a caller may take no piece of the answer. */
  readonly takeWithinMs: number;
}

/** Longer than setTimeout can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const PREFIX_BYTES = 5;
const CONTENT_TYPE = 'application/grpc';

/**
 * Carries out one call: reads its message, has the method answer, and ends the stream with a status, whatever happens.
 * Source: grpc/grpc, doc/PROTOCOL-HTTP2.md. Without compression, which callers need not use.
 */
export async function answerCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  method: UnaryMethod | undefined,
  { limits, logger }: { readonly limits: CallLimits; readonly logger: Logger },
): Promise<void> {
  const gone = new AbortController();
  const leave = () => gone.abort();
  stream.once('close', leave);
  const refusal = refusalOf(headers, method);
  if (refusal !== undefined) return end(stream, refusal);
  const waitMs = timeoutMs(headers['grpc-timeout']);
  if (Number.isNaN(waitMs)) {
    return end(stream, { code: GRPC_CODE.invalidArgument, message: 'the header grpc-timeout says no time' });
  }
  const expire = () => {
    end(stream, { code: GRPC_CODE.deadlineExceeded, message: 'the deadline of the call has passed' });
    leave();
  };
  const deadline = waitMs === undefined ? undefined : setTimeout(expire, Math.min(waitMs, MAX_TIMER_MS));
  try {
    const request = await readMessage(stream, limits);
    const answer = request.ok ? await (method as UnaryMethod)(request.value, gone.signal) : request;
    if (answer.ok) await send(stream, answer.value, { signal: gone.signal, limits });
    else end(stream, answer.error);
  } catch (error) {
    logger.error('fault while answering a call', { stack: asError(error).stack });
    end(stream, {
      code: GRPC_CODE.internal,
      message: 'the daemon met a fault of its own; its log has the details',
    });
  } finally {
    clearTimeout(deadline);
  }
}

function refusalOf(headers: IncomingHttpHeaders, method: UnaryMethod | undefined): GrpcFailure | undefined {
  const unimplemented = (message: string) => ({ code: GRPC_CODE.unimplemented, message });
  if (headers[':method'] !== 'POST' || !(headers['content-type'] ?? '').startsWith(CONTENT_TYPE)) {
    return unimplemented('this port takes gRPC alone: POST with content-type application/grpc');
  }
  if (method === undefined) {
    return unimplemented(
      'this daemon has Profile, Monitor and Terminate of tensorflow.ProfilerService alone',
    );
  }
  return undefined;
}

/** Ends a stream whose answer has not begun; the caller need not send the rest. Does nothing to one that has ended. */
function end(stream: ServerHttp2Stream, failure: GrpcFailure): void {
  if (stream.destroyed || stream.closed) return;
  if (stream.headersSent) {
    stream.close(constants.NGHTTP2_CANCEL);
    return;
  }
  const headers = { ':status': 200, 'content-type': CONTENT_TYPE, ...statusHeaders(failure) };
  stream.respond(headers, { endStream: true });
  if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
}

/** The one message of the request. */
function readMessage(
  stream: ServerHttp2Stream,
  { maxRequestBytes, requestWithinMs }: CallLimits,
): Promise<Result<Uint8Array, GrpcFailure>> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const finish = (result: Result<Uint8Array, GrpcFailure>) => {
      clearTimeout(timer);
      stream.removeAllListeners('data');
      resolve(result);
    };
    const fail = (code: GrpcFailure['code'], message: string) => finish(err({ code, message }));
    const timer = setTimeout(
      () => fail(GRPC_CODE.deadlineExceeded, 'the request did not come to its end'),
      requestWithinMs,
    );
    stream.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      chunks.push(chunk);
      if (sizeBytes <= maxRequestBytes + PREFIX_BYTES) return;
      chunks.length = 0;
      fail(GRPC_CODE.resourceExhausted, `a request may have ${maxRequestBytes} bytes`);
    });
    stream.once('close', () => fail(GRPC_CODE.cancelled, 'the caller has gone'));
    stream.once('end', () => finish(unframe(Buffer.concat(chunks))));
  });
}

function unframe(body: Buffer): Result<Uint8Array, GrpcFailure> {
  if (body[0] === 1) {
    const message = 'compressed requests are not taken; send it with the encoding identity';
    return err({ code: GRPC_CODE.unimplemented, message });
  }
  if (body.length < PREFIX_BYTES || body[0] !== 0 || body.readUInt32BE(1) !== body.length - PREFIX_BYTES) {
    return err({ code: GRPC_CODE.internal, message: 'the request is not one whole message' });
  }
  return ok(body.subarray(PREFIX_BYTES));
}

async function send(
  stream: ServerHttp2Stream,
  { message, release }: UnaryAnswer,
  { signal, limits }: { readonly signal: AbortSignal; readonly limits: CallLimits },
): Promise<void> {
  try {
    if (stream.destroyed || stream.closed || signal.aborted) return;
    stream.respond({ ':status': 200, 'content-type': CONTENT_TYPE }, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers(statusHeaders({ code: GRPC_CODE.ok })));
    stream.setTimeout(limits.takeWithinMs, () => stream.close(constants.NGHTTP2_CANCEL));
    await pipeline(Readable.from(framed(message)), stream, { signal });
  } catch (error) {
    // Whoever leaves in the middle of an answer is no fault of ours.
    if (!signal.aborted && !stream.destroyed) throw error;
  } finally {
    await release?.();
  }
}

async function* framed({ sizeBytes, pieces }: OutgoingMessage): AsyncGenerator<Uint8Array> {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(sizeBytes, 1);
  yield prefix;
  yield* pieces;
}
