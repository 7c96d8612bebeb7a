import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify';
import type { Operation } from '../../api/operation.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the API description says of the route; false for answers that are no operation. */
    readonly operation?: Operation | false;
  }
}

/** An operation and where it is. */
export interface PlacedOperation {
  /** In lower case. */
  readonly method: string;
  /** As OpenAPI writes it: `/models/{model}`. */
  readonly path: string;
  readonly operation: Operation;
}

/** Options of a route: it is described, and requests are checked, by the same schemas. */
export function describe(operation: Operation): {
  readonly schema: FastifySchema;
  readonly config: { readonly operation: Operation };
} {
  const { query, headers, body } = operation;
  const schema: FastifySchema = {
    ...(query === undefined ? {} : { querystring: query }),
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body }),
  };
  return { schema, config: { operation } };
}

/** What a server has, as its routes are added. */
export interface CollectedRoutes {
  readonly operations: readonly PlacedOperation[];
  /** By the path as the router writes it. */
  readonly methods: ReadonlyMap<string, readonly string[]>;
}

/**
 * Collects the routes that are added from here on. One that is not described is refused: there is nothing in this API that its
 * description does not know.
 */
export function collectRoutes(app: FastifyInstance): CollectedRoutes {
  const operations: PlacedOperation[] = [];
  const methods = new Map<string, string[]>();
  app.addHook('onRoute', (route: RouteOptions) => {
    const { url, config } = route;
    const method = String(route.method);
    const operation = config?.operation;
    if (operation === undefined) throw new Error(`${method} ${url} is not described`);
    if (operation === false) return;
    methods.set(url, [...(methods.get(url) ?? []), method]);
    // HEAD is what HTTP says of GET, and needs no description.
    if (method === 'HEAD') return;
    if (operations.some((other) => other.operation.id === operation.id))
      throw new Error(`two operations are called ${operation.id}`);
    operations.push({ method: method.toLowerCase(), path: url.replace(/:([a-z]+)/gi, '{$1}'), operation });
  });
  return { operations, methods };
}
