import type { FastifyInstance } from 'fastify';
import type { Logger } from '../core/log.ts';

/** A ULID, as runs are called. */
const RUN_ID = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/**
 * Logs every request once it is answered: what route took it, not what the client wrote, so that neither a query nor a path that holds
 * a secret gets into the log.
 * @param isTold whether at `info`; at `debug` otherwise
 */
export function addRequestLog(app: FastifyInstance, logger: Logger, isTold: () => boolean): void {
  app.addHook('onResponse', async (request, reply) => {
    const { id } = (request.params ?? {}) as { readonly id?: unknown };
    logger[isTold() ? 'info' : 'debug']('request', {
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime * 10) / 10,
      from: request.socket.remoteAddress,
      ...(typeof id === 'string' && RUN_ID.test(id) ? { run: id } : {}),
    });
  });
}
