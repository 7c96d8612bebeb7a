import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { serve } from '../../support/server.ts';

it.each([
  ['CONNECT example.com:443 HTTP/1.1\r\nhost: example.com', '405', 'method-not-allowed'],
  ['GET /-/healthy HTTP/1.1\r\nhost: 127.0.0.1\r\nexpect: miracles', '417', 'expectation-failed'],
  ['GET /-/healthy HTTP/1.1', '403', 'foreign-host'],
])('what Node.js would answer itself has a type, and keeps no connection: %j', async (head, status, kind) => {
  const { app } = serve();
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
  const socket = connect(Number(port), '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  socket.write(`${head}\r\nconnection: close\r\n\r\n`);
  await new Promise<void>((resolve) => socket.on('close', () => resolve()));
  expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(text).toContain('content-type: application/problem+json');
  expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toMatchObject({
    type: `/problems/${kind}`,
    status: Number(status),
    title: expect.any(String),
    detail: expect.any(String),
  });
  // It would wait for a connection that is kept.
  await app.close();
});
