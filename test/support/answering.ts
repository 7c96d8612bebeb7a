import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** What a server answers: a text or what becomes JSON, with a status; undefined for nothing at all. */
export type Answer = { readonly status?: number; readonly body: unknown } | undefined;

/** A server that answers what it is told, until the test is over. */
export async function answering(
  answer: (request: IncomingMessage) => Answer,
  tls?: ServerOptions,
): Promise<URL> {
  const listener: Parameters<typeof createServer>[1] = (request, response) => {
    const given = answer(request);
    if (given === undefined) return;
    const { status = 200, body } = given;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return new URL(`${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/`);
}
