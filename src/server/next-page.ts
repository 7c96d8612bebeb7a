import type { FastifyReply } from 'fastify';

/** What lists say of the header. */
export const NEXT_PAGE = { link: 'the next page, with rel="next"; absent on the last one' } as const;

/** A page of a list, cut from one element more than it holds, by which it is known whether another follows. */
export interface Page<T> {
  readonly elements: readonly T[];
  /** The last element of the page, where another page follows. */
  readonly last?: T;
}

export function cutPage<T>(found: readonly T[], limit: number): Page<T> {
  const elements = found.slice(0, limit);
  const last = elements.at(-1);
  return found.length > limit && last !== undefined ? { elements, last } : { elements };
}

/**
 * Says where the next page is, in a `Link` header (RFC 8288). Returns its address.
 * @param query what chose this page, and the cursor of the next
 */
export function linkNext(
  reply: FastifyReply,
  path: string,
  query: Readonly<Record<string, string | number | undefined>>,
): string {
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  );
  const next = `${path}?${new URLSearchParams(given)}`;
  reply.header('link', `<${next}>; rel="next"`);
  return next;
}
