import { once } from 'node:events';
import { createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../../core/log.ts';
import { answerCall, type CallLimits, type UnaryMethod } from './grpc-call.ts';

export interface GrpcServer {
  /** The port that it listens on. */
  readonly port: number;
  /** Cancels the calls under way and resolves when all connections are gone. */
  close(): Promise<void>;
}

export interface GrpcLimits extends CallLimits {
  readonly maxConnections: number;
  readonly maxCallsPerConnection: number;
  /** A connection without a call is closed after this. */
  readonly idleMs: number;
}

const DEFAULT_LIMITS: GrpcLimits = {
  maxRequestBytes: 64 * 1024,
  requestWithinMs: 10_000,
  takeWithinMs: 30_000,
  maxConnections: 64,
  maxCallsPerConnection: 16,
  idleMs: 60_000,
};

const MAX_HEADER_BYTES = 16 * 1024;

/**
 * Serves unary gRPC methods over HTTP/2 without TLS. Rejects with the system's error where the address cannot be listened on.
 * @param methods by path, such as `/tensorflow.ProfilerService/Profile`
 */
export async function startGrpcServer(
  { host, port }: { readonly host: string; readonly port: number },
  methods: ReadonlyMap<string, UnaryMethod>,
  { logger, limits: given }: { readonly logger: Logger; readonly limits?: Partial<GrpcLimits> },
): Promise<GrpcServer> {
  const limits = { ...DEFAULT_LIMITS, ...given };
  const server = createServer({
    maxSettings: 16,
    settings: {
      enablePush: false,
      maxConcurrentStreams: limits.maxCallsPerConnection,
      maxHeaderListSize: MAX_HEADER_BYTES,
    },
  });
  server.maxConnections = limits.maxConnections;
  const sessions = new Map<ServerHttp2Session, Set<Promise<void>>>();
  server.on('session', (session) => {
    const calls = new Set<Promise<void>>();
    sessions.set(session, calls);
    session.once('close', () => sessions.delete(session));
    session.setTimeout(limits.idleMs, () => {
      // A capture sends nothing while it lasts.
      if (calls.size === 0) session.destroy();
    });
  });
  // A caller that breaks the protocol loses its connection, and that is all.
  server.on('sessionError', (error) => logger.debug('a connection failed', { error: error.message }));
  server.on('stream', (stream, headers) => {
    stream.on('error', (error) => logger.debug('a call failed', { error: error.message }));
    const call = answerCall(stream, headers, methods.get(headers[':path'] ?? ''), { limits, logger });
    const calls =
      stream.session === undefined ? undefined : sessions.get(stream.session as ServerHttp2Session);
    calls?.add(call);
    void call.finally(() => calls?.delete(call));
  });
  server.listen({ host, port });
  await once(server, 'listening');
  server.on('error', (error) => logger.error('the profiler service cannot go on', { error: error.message }));
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const calls = [...sessions.values()].flatMap((ofSession) => [...ofSession]);
      const closed = once(server, 'close');
      server.close();
      for (const session of sessions.keys()) session.destroy();
      await Promise.all([closed, ...calls]);
    },
  };
}
