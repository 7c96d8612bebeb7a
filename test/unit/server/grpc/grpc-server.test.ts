import { connect as connectHttp2, constants } from 'node:http2';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLogger } from '../../../../src/core/log.ts';
import { err, ok } from '../../../../src/core/result.ts';
import type { UnaryMethod } from '../../../../src/server/grpc/grpc-call.ts';
import { type GrpcLimits, startGrpcServer } from '../../../../src/server/grpc/grpc-server.ts';
import { GRPC_CODE } from '../../../../src/server/grpc/grpc-status.ts';
import { grpcCaller } from '../../../support/grpc-client.ts';

const ECHO = '/test.Service/Echo';
const echo: UnaryMethod = async (request) =>
  ok({ message: { sizeBytes: request.length, pieces: [request] } });

async function serving(methods: Readonly<Record<string, UnaryMethod>>, limits: Partial<GrpcLimits> = {}) {
  const faults: string[] = [];
  const logger = { ...silentLogger, error: (message: string) => void faults.push(message) };
  const server = await startGrpcServer({ host: '127.0.0.1', port: 0 }, new Map(Object.entries(methods)), {
    logger,
    limits,
  });
  onTestFinished(() => server.close());
  return { server, faults, ...grpcCaller(server.port) };
}

/** Sends a request by hand, such as no client would. */
async function rawCall(port: number, headers: Readonly<Record<string, string>>, body: Uint8Array) {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  onTestFinished(() => session.destroy());
  const stream = session.request({
    ':method': 'POST',
    ':path': ECHO,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const answered = new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => {
    let status: Readonly<Record<string, unknown>> = {};
    stream.on('response', (response) => {
      status = { ...status, ...response };
    });
    stream.on('trailers', (trailers) => {
      status = { ...status, ...trailers };
    });
    stream.on('error', reject);
    stream.on('close', () => resolve(status));
    stream.resume();
  });
  stream.end(body);
  return answered;
}

function framed(message: Uint8Array, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

describe('a gRPC server', () => {
  it('answers a call with one message', async () => {
    const { call } = await serving({ [ECHO]: echo });
    const answer = await call(ECHO, Buffer.from('hello'));
    expect(answer).toMatchObject({ status: 'OK', response: Buffer.from('hello') });
  });

  it('answers an empty message with an empty message', async () => {
    const { call } = await serving({ [ECHO]: echo });
    expect(await call(ECHO, Buffer.alloc(0))).toMatchObject({ status: 'OK', response: Buffer.alloc(0) });
  });

  it('sends a message in pieces as they come, and only then lets go of it', async () => {
    const pieceBytes = 1 << 20;
    const pieces = 40;
    const events: string[] = [];
    const { call } = await serving({
      [ECHO]: async () =>
        ok({
          message: {
            sizeBytes: pieces * pieceBytes,
            pieces: (async function* () {
              for (let piece = 0; piece < pieces; piece += 1) yield Buffer.alloc(pieceBytes, piece);
              events.push('sent');
            })(),
          },
          release: async () => void events.push('released'),
        }),
    });
    const { status, response } = await call(ECHO, Buffer.alloc(0));
    expect(status).toBe('OK');
    expect(response?.length).toBe(pieces * pieceBytes);
    expect(response?.[39 * pieceBytes]).toBe(39);
    expect(events).toEqual(['sent', 'released']);
  });

  it('answers calls side by side', async () => {
    const { call } = await serving({ [ECHO]: echo });
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) => call(ECHO, Buffer.from(`${index}`))),
    );
    expect(answers.map(({ response }) => String(response))).toEqual(
      Array.from({ length: 30 }, (_, index) => `${index}`),
    );
  });

  it('tells a failure with its status and its words, whatever letters they have', async () => {
    const message = 'busy: 100 % – später';
    const { call } = await serving({
      [ECHO]: async () => err({ code: GRPC_CODE.resourceExhausted, message }),
    });
    expect(await call(ECHO, Buffer.alloc(0))).toEqual({ status: 'RESOURCE_EXHAUSTED', details: message });
  });

  it('says that it does not have a method', async () => {
    const { call } = await serving({ [ECHO]: echo });
    const answer = await call('/test.Service/Other', Buffer.alloc(0));
    expect(answer.status).toBe('UNIMPLEMENTED');
    expect(answer.details).toContain('Profile');
  });

  it('makes a fault of its own the failure of the call alone', async () => {
    const { call, faults } = await serving({
      [ECHO]: async (request) => {
        if (request.length === 0) throw new Error('secret');
        return echo(request, new AbortController().signal);
      },
    });
    const answer = await call(ECHO, Buffer.alloc(0));
    expect(answer.status).toBe('INTERNAL');
    expect(answer.details).not.toContain('secret');
    expect(faults).toHaveLength(1);
    expect((await call(ECHO, Buffer.from('x'))).status).toBe('OK');
  });

  it('lets a method know that its caller has left, and that the deadline has passed', async () => {
    const aborted: string[] = [];
    const { call } = await serving({
      [ECHO]: async (request, signal) => {
        await delay(20_000, undefined, { signal }).catch(() => {});
        if (signal.aborted) aborted.push(String(request));
        return err({ code: GRPC_CODE.cancelled, message: 'gone' });
      },
    });
    const leave = new AbortController();
    setTimeout(() => leave.abort(), 100);
    const answers = await Promise.all([
      call(ECHO, Buffer.from('cancel'), { signal: leave.signal }),
      call(ECHO, Buffer.from('deadline'), { deadlineMs: 200 }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['CANCELLED', 'DEADLINE_EXCEEDED']);
    await expect.poll(() => aborted.toSorted()).toEqual(['cancel', 'deadline']);
  });

  it('ends the call itself when its deadline has passed and the caller does not', async () => {
    const { server } = await serving({
      [ECHO]: (_request, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve(err({ code: GRPC_CODE.internal, message: 'late' })));
        }),
    });
    const status = await rawCall(server.port, { 'grpc-timeout': '50m' }, framed(Buffer.from('x')));
    expect(status).toMatchObject({ 'grpc-status': '4' });
  });

  it('lets go of an answer that is no longer wanted', async () => {
    let released = false;
    const { server } = await serving({
      [ECHO]: async () =>
        ok({
          message: {
            sizeBytes: 1e9,
            pieces: (async function* () {
              for (;;) yield Buffer.alloc(1 << 16);
            })(),
          },
          release: async () => {
            released = true;
          },
        }),
    });
    const session = connectHttp2(`http://127.0.0.1:${server.port}`);
    onTestFinished(() => session.destroy());
    const stream = session.request({ ':method': 'POST', ':path': ECHO, 'content-type': 'application/grpc' });
    stream.on('error', () => {});
    stream.end(framed(Buffer.alloc(0)));
    await new Promise((resolve) => stream.once('data', resolve));
    stream.close(constants.NGHTTP2_CANCEL);
    await expect.poll(() => released).toBe(true);
  });

  it('does not wait for ever for a caller that takes no answer', async () => {
    let released = false;
    const { server } = await serving(
      {
        [ECHO]: async () =>
          ok({
            message: { sizeBytes: 1e8, pieces: [Buffer.alloc(1e8)] },
            release: async () => {
              released = true;
            },
          }),
      },
      { takeWithinMs: 100 },
    );
    const session = connectHttp2(`http://127.0.0.1:${server.port}`);
    onTestFinished(() => session.destroy());
    const stream = session.request({ ':method': 'POST', ':path': ECHO, 'content-type': 'application/grpc' });
    stream.on('error', () => {});
    stream.end(framed(Buffer.alloc(0)));
    await expect.poll(() => released, { timeout: 5_000 }).toBe(true);
  });

  it.each([
    ['a body that is no message', {}, Buffer.from('garbage'), '13'],
    ['an empty body', {}, Buffer.alloc(0), '13'],
    ['a message that is cut off', {}, framed(Buffer.alloc(9)).subarray(0, 9), '13'],
    ['two messages', {}, Buffer.concat([framed(Buffer.alloc(1)), framed(Buffer.alloc(1))]), '13'],
    ['a compressed message', { 'grpc-encoding': 'gzip' }, framed(Buffer.alloc(3), 1), '12'],
    ['a message that is too long', {}, framed(Buffer.alloc(2_000)), '8'],
    ['a deadline that is no time', { 'grpc-timeout': 'soon' }, framed(Buffer.alloc(1)), '3'],
    ['another content type', { 'content-type': 'text/html' }, framed(Buffer.alloc(1)), '12'],
    ['another HTTP method', { ':method': 'PUT' }, framed(Buffer.alloc(1)), '12'],
  ])('refuses %s', async (_what, headers, body, code) => {
    const { server, call } = await serving({ [ECHO]: echo }, { maxRequestBytes: 1_000 });
    expect(await rawCall(server.port, headers, body)).toMatchObject({ 'grpc-status': code });
    expect((await call(ECHO, Buffer.from('still there'))).status).toBe('OK');
  });

  it('ends a call whose request never comes', async () => {
    const { server } = await serving({ [ECHO]: echo }, { requestWithinMs: 50 });
    const session = connectHttp2(`http://127.0.0.1:${server.port}`);
    onTestFinished(() => session.destroy());
    const stream = session.request(
      { ':method': 'POST', ':path': ECHO, 'content-type': 'application/grpc' },
      { endStream: false },
    );
    stream.on('error', () => {});
    const [headers] = await new Promise<[object]>((resolve) =>
      stream.once('response', (...all) => resolve(all as unknown as [object])),
    );
    expect(headers).toMatchObject({ 'grpc-status': '4' });
  });

  it('survives whatever is no HTTP/2, and closes such connections', async () => {
    const { server, call } = await serving({ [ECHO]: echo });
    const closed = [
      'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
      '\0\0\0\xff'.repeat(1000),
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\ngarbage garbage',
    ].map(
      (text) =>
        new Promise((resolve) => {
          const socket = connect(server.port, '127.0.0.1', () => socket.write(text));
          socket.on('error', () => {});
          socket.on('close', resolve);
          socket.resume();
        }),
    );
    await Promise.all(closed);
    expect((await call(ECHO, Buffer.from('x'))).status).toBe('OK');
  });

  it('turns away more connections than it may have, and closes those that stay idle', async () => {
    const { server, call } = await serving({ [ECHO]: echo }, { maxConnections: 3, idleMs: 200 });
    const closed: number[] = [];
    const sockets = Array.from({ length: 100 }, (_, index) => {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.on('close', () => closed.push(index));
      socket.resume();
      return socket;
    });
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    await expect.poll(() => closed.length, { timeout: 5_000 }).toBe(100);
    expect((await call(ECHO, Buffer.from('x'))).status).toBe('OK');
  });

  it('keeps a connection open whose call takes long', async () => {
    const { call } = await serving(
      {
        [ECHO]: async (request) => {
          await delay(300);
          return echo(request, new AbortController().signal);
        },
      },
      { idleMs: 50 },
    );
    expect((await call(ECHO, Buffer.from('x'))).status).toBe('OK');
  });

  it('cancels what is under way when it is closed, and waits for its end', async () => {
    const events: string[] = [];
    const { server, call } = await serving({
      [ECHO]: async (_request, signal) => {
        events.push('began');
        await delay(20_000, undefined, { signal }).catch(() => {});
        await delay(50);
        events.push('ended');
        return err({ code: GRPC_CODE.cancelled, message: 'gone' });
      },
    });
    const answer = call(ECHO, Buffer.alloc(0));
    await expect.poll(() => events).toEqual(['began']);
    await server.close();
    expect(events).toEqual(['began', 'ended']);
    expect((await answer).status).not.toBe('OK');
  });

  it('rejects where the port is taken', async () => {
    const { server } = await serving({});
    const again = startGrpcServer({ host: '127.0.0.1', port: server.port }, new Map(), {
      logger: silentLogger,
    });
    await expect(again).rejects.toThrow('EADDRINUSE');
  });
});
