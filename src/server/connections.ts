import type { ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import { PROBLEM_TYPES, type ProblemType } from '../api/problem-types.ts';
import type { DropReason, HttpMetrics } from '../metrics/http-metrics.ts';

/** How long clients may take, and how many there may be. */
export interface ConnectionLimits {
  /** From the beginning of a connection or request to the end of its headers, and of a TLS handshake. */
  readonly headersMs: number;
  /** From the beginning of a request to the end of its body. */
  readonly requestMs: number;
  /** How long a client may take nothing of an answer that waits for it. */
  readonly stalledMs: number;
  /** How long an idle connection is kept for the next request. */
  readonly keepAliveMs: number;
  readonly maxConnections: number;
}

/** A connection between two scrapes a minute apart is kept. */
export const DEFAULT_LIMITS: ConnectionLimits = {
  headersMs: 10_000,
  requestMs: 30_000,
  stalledMs: 60_000,
  keepAliveMs: 72_000,
  maxConnections: 1024,
};

/** Node.js looks at connections only so often; a limit is exceeded by at most this. */
const LOOK_EVERY_MS = 2000;

/** Fastify's options for these limits. */
export function connectionOptions(
  limits: ConnectionLimits,
  https: ServerOptions | null,
  metrics: HttpMetrics | undefined,
): Pick<
  FastifyServerOptions,
  'requestTimeout' | 'connectionTimeout' | 'keepAliveTimeout' | 'clientErrorHandler'
> & {
  readonly https: ServerOptions | null;
  readonly http: ServerOptions;
} {
  const ofServer = {
    // A request without a host is refused like one with a foreign host (see `guardRequest`), and told why.
    requireHostHeader: false,
    headersTimeout: limits.headersMs,
    connectionsCheckingInterval: Math.min(LOOK_EVERY_MS, limits.headersMs),
  };
  return {
    http: ofServer,
    https: https === null ? null : { ...https, ...ofServer, handshakeTimeout: limits.headersMs },
    requestTimeout: limits.requestMs,
    connectionTimeout: limits.stalledMs,
    keepAliveTimeout: limits.keepAliveMs,
    clientErrorHandler: (error, socket) => answerBroken(error, socket as Socket, metrics),
  };
}

/** Counts connections, and those that are ended because their client is too slow or one too many. */
export function guardConnections(
  app: FastifyInstance,
  limits: ConnectionLimits,
  metrics: HttpMetrics | undefined,
): void {
  const { server } = app;
  server.maxConnections = limits.maxConnections;
  let open = 0;
  server.on('connection', (socket: Socket) => {
    open += 1;
    metrics?.setConnections(open);
    socket.once('close', () => {
      open -= 1;
      metrics?.setConnections(open);
    });
  });
  server.on('drop', () => metrics?.countDropped('too_many_connections'));
  app.addHook('onRequest', async (_request, reply) => {
    // Without a listener an idle connection is ended the same way, which is no fault of anybody.
    reply.raw.on('timeout', (socket: Socket) => {
      metrics?.countDropped('slow_reader');
      socket.destroy();
    });
  });
}

interface Broken {
  readonly reason: DropReason;
  readonly status: string;
  readonly kind: ProblemType;
}

const BROKEN: Readonly<Record<string, Broken>> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    reason: 'request_timeout',
    status: '408 Request Timeout',
    kind: 'request-timeout',
  },
  HPE_HEADER_OVERFLOW: {
    reason: 'headers_too_large',
    status: '431 Request Header Fields Too Large',
    kind: 'headers-too-large',
  },
};
const MALFORMED: Broken = {
  reason: 'malformed_request',
  status: '400 Bad Request',
  kind: 'malformed-request',
};

/** What is no request, or no whole one, never reaches a route: its answer is written here, and the connection ends. */
function answerBroken(
  { code = '' }: NodeJS.ErrnoException,
  socket: Socket,
  metrics: HttpMetrics | undefined,
): void {
  // The client has gone; there is nobody to answer, and nothing to count.
  if (code === 'ECONNRESET' || code === 'EPIPE' || socket.destroyed) return;
  const { reason, status, kind } = BROKEN[code] ?? MALFORMED;
  metrics?.countDropped(reason);
  const [number = '', title = ''] = status.split(/ (.*)/s);
  const detail = PROBLEM_TYPES[kind].meaning;
  const body = JSON.stringify({ type: `/problems/${kind}`, title, status: Number(number), detail });
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  if (socket.writable) socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // Whoever does not read this either is not waited for.
  socket.destroySoon();
}
