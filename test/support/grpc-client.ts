import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';

export interface GrpcOutcome {
  /** The name of the status, such as `OK`. */
  readonly status: string;
  readonly details: string;
  readonly response?: Buffer;
}

export interface GrpcCaller {
  call(
    path: string,
    request: Uint8Array,
    options?: {
      readonly deadlineMs?: number;
      readonly metadata?: Readonly<Record<string, string>>;
      readonly signal?: AbortSignal;
    },
  ): Promise<GrpcOutcome>;
}

/** Calls unary methods with the client of gRPC's own project, which knows nothing of our messages. */
export function grpcCaller(port: number): GrpcCaller {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
  });
  onTestFinished(() => client.close());
  return {
    call: (path, request, { deadlineMs = 10_000, metadata = {}, signal } = {}) =>
      new Promise((resolve) => {
        const sent = new Metadata();
        for (const [name, value] of Object.entries(metadata)) sent.set(name, value);
        const call = client.makeUnaryRequest(
          path,
          (bytes: Buffer) => bytes,
          (bytes: Buffer) => bytes,
          Buffer.from(request),
          sent,
          { deadline: Date.now() + deadlineMs },
          (error: ServiceError | null, response?: Buffer) =>
            resolve({
              status: status[error?.code ?? 0] ?? '',
              details: error?.details ?? '',
              ...(response === undefined ? {} : { response }),
            }),
        );
        signal?.addEventListener('abort', () => call.cancel());
      }),
  };
}
