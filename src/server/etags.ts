import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';

/**
 * Gives every JSON answer to a GET an `ETag` of its content, and answers 304 where that is what the client has (RFC 9110, 13.1.2).
 * Clients ask again every time, and pay for what changed only.
 */
export function addEtags(app: FastifyInstance): void {
  app.addHook('onSend', async ({ method, headers }, reply, payload) => {
    const isJson = /^application\/json(?:;|$)/.test(String(reply.getHeader('content-type')));
    if (
      !isJson ||
      (method !== 'GET' && method !== 'HEAD') ||
      reply.statusCode !== 200 ||
      typeof payload !== 'string'
    )
      return payload;
    const etag = etagOf(payload);
    reply.header('etag', etag);
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-cache');
    if (!isNamed(etag, headers['if-none-match'])) return payload;
    reply.code(304).removeHeader('content-type');
    // Fastify itself takes the body of an answer to HEAD away, and says how long it would be.
    return method === 'HEAD' ? payload : null;
  });
}

export function etagOf(content: string | Buffer): string {
  return `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
}

/** Whether an `If-None-Match` header names a tag, or any. Proxies that compress mark tags as weak. */
export function isNamed(etag: string, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch?.trim() === '*') return true;
  return (ifNoneMatch ?? '').split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}
