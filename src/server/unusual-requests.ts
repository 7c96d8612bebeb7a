import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { PROBLEM_TYPES, type ProblemType, problemPath, problemTitle } from '../api/problem-types.ts';

/**
 * Answers what Node.js answers without asking a route, and without saying why: an `Expect` other than 100-continue, and CONNECT, which
 * is for proxies.
 */
export function refuseUnusual({ server }: FastifyInstance): void {
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const body = bodyOf('expectation-failed');
    response.writeHead(PROBLEM_TYPES['expectation-failed'].status, {
      'content-type': TYPE,
      'content-length': body.length,
      connection: 'close',
    });
    response.end(body);
  });
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    // Nobody reads from it any more, so it would never be known that the other side has closed it. Who asked may be gone, which is as well.
    socket.on('error', () => {});
    const body = bodyOf('method-not-allowed');
    const headers = [
      'allow: GET, HEAD',
      `content-type: ${TYPE}`,
      `content-length: ${body.length}`,
      'connection: close',
    ];
    socket.end(`HTTP/1.1 405 Method Not Allowed\r\n${headers.join('\r\n')}\r\n\r\n${body}`, () =>
      socket.destroy(),
    );
  });
}

const TYPE = 'application/problem+json';

function bodyOf(type: ProblemType): string {
  const { status, meaning } = PROBLEM_TYPES[type];
  return JSON.stringify({ type: problemPath(type), title: problemTitle(type), status, detail: meaning });
}
