import type { FastifyRequest } from 'fastify';

/** The path of a request, without what follows a question mark, for it may hold more than a log should. */
export function pathOf(request: Pick<FastifyRequest, 'url'>): string {
  return request.url.split('?', 1)[0] ?? '';
}
