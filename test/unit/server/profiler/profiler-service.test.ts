import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLogger } from '../../../../src/core/log.ts';
import { problem } from '../../../../src/core/problem.ts';
import { err, ok } from '../../../../src/core/result.ts';
import type { CaptureOrder } from '../../../../src/jobs/capture/capture-order.ts';
import { startGrpcServer } from '../../../../src/server/grpc/grpc-server.ts';
import {
  bytesOf,
  lengthField,
  numberOf,
  readFields,
  textOf,
  varintField,
  type WireField,
} from '../../../../src/server/grpc/protobuf-fields.ts';
import { type Capturing, profilerService } from '../../../../src/server/profiler/profiler-service.ts';
import { grpcCaller } from '../../../support/grpc-client.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const PROFILE = '/tensorflow.ProfilerService/Profile';
const MONITOR = '/tensorflow.ProfilerService/Monitor';
const TERMINATE = '/tensorflow.ProfilerService/Terminate';

/** A capture that takes no time and gives `XSPACE`, or whatever is given. */
async function service(given: Partial<Capturing> = {}) {
  const file = join(temporaryFolder(), 'trace.xplane.pb');
  writeFileSync(file, 'XSPACE');
  const orders: CaptureOrder[] = [];
  const terminated: string[] = [];
  let released = 0;
  const capture: Capturing = {
    capture: async (order) => {
      orders.push(order);
      return ok({
        file,
        sizeBytes: 6,
        isEmpty: false,
        release: async () => {
          released += 1;
        },
      });
    },
    terminate: (id) => {
      terminated.push(id);
      return ok(undefined);
    },
    monitor: async () => ok({ text: 'nothing runs' }),
    ...given,
  };
  const server = await startGrpcServer({ host: '127.0.0.1', port: 0 }, profilerService(capture), {
    logger: silentLogger,
  });
  onTestFinished(() => server.close());
  return { ...grpcCaller(server.port), orders, terminated, released: () => released };
}

/** A field of a message that is there once. */
function fieldOf(bytes: Uint8Array | undefined, number: number): WireField {
  const found = [...readFields(bytes ?? Buffer.alloc(0))].filter((field) => field.number === number);
  expect(found).toHaveLength(1);
  return found[0] as WireField;
}

/** What TensorFlow 2.21 sends, but for the number of tools. */
const REQUEST = Buffer.concat([
  varintField(1, 1000),
  varintField(2, 1_000_000),
  lengthField(3, 'trace_viewer@'),
  lengthField(
    4,
    Buffer.concat([
      varintField(1, 1),
      varintField(2, 2),
      varintField(5, 1),
      varintField(8, 1_700_000_000_000_000_000),
      varintField(9, 1500),
      lengthField(10, '/logs'),
    ]),
  ),
  lengthField(5, '/logs/plugins/profile'),
  lengthField(6, '2026_11_23_02_44_49'),
  lengthField(7, '127.0.0.1:44865'),
]);

describe('Profile', () => {
  it('captures what is asked for and sends it as the file that clients look for', async () => {
    const { call, orders, released } = await service();
    const { status, response } = await call(PROFILE, REQUEST);
    expect(status).toBe('OK');
    expect(orders).toEqual([
      { durationMs: 1500, startWallMs: 1_700_000_000_000, sessionId: '2026_11_23_02_44_49' },
    ]);
    const tool = bytesOf(fieldOf(response, 6));
    expect(textOf(fieldOf(tool, 1))).toBe('xplane.pb');
    expect(textOf(fieldOf(tool, 2))).toBe('XSPACE');
    expect([...readFields(response as Buffer)].map(({ number }) => number)).toEqual([6]);
    expect(released()).toBe(1);
  });

  it('sends the trace as a message too where that is asked for', async () => {
    const { call } = await service();
    const { response } = await call(PROFILE, Buffer.concat([REQUEST, varintField(9, 1)]));
    expect(textOf(fieldOf(response, 8))).toBe('XSPACE');
    expect(textOf(fieldOf(bytesOf(fieldOf(response, 6)), 2))).toBe('XSPACE');
  });

  it('takes the duration of the request where the options have none', async () => {
    const { call, orders } = await service();
    await call(PROFILE, varintField(1, 300));
    await call(PROFILE, Buffer.alloc(0));
    expect(orders.map(({ durationMs }) => durationMs)).toEqual([300, 0]);
  });

  it('says that a trace is empty', async () => {
    const release = async () => {};
    const { call } = await service({
      capture: async () => ok({ file: '/nowhere', sizeBytes: 0, isEmpty: true, release }),
    });
    const { response } = await call(PROFILE, REQUEST);
    expect(numberOf(fieldOf(response, 7))).toBe(1n);
  });

  it.each([
    ['capture-under-way', 'RESOURCE_EXHAUSTED'],
    ['capture-out-of-range', 'INVALID_ARGUMENT'],
    ['cancelled', 'CANCELLED'],
    ['daemon-stopping', 'UNAVAILABLE'],
    ['trace-not-written', 'INTERNAL'],
  ])('tells that %s as %s, in words', async (kind, expected) => {
    const { call } = await service({ capture: async () => err(problem(kind, 'it is so', { hint: 'wait' })) });
    expect(await call(PROFILE, REQUEST)).toEqual({ status: expected, details: 'it is so; wait' });
  });

  it.each([
    ['bytes that are no message', Buffer.from('garbage')],
    ['options that are a number', varintField(4, 7)],
    ['a duration that is a text', lengthField(1, 'long')],
    ['a session that is no text', lengthField(6, Uint8Array.of(0xff))],
  ])('refuses %s', async (_what, bytes) => {
    const { call, orders } = await service();
    expect((await call(PROFILE, bytes)).status).toBe('INVALID_ARGUMENT');
    expect(orders).toEqual([]);
  });

  it('passes over fields that it does not know', async () => {
    const { call } = await service();
    const unknown = [varintField(5000, 1), lengthField(77, 'x'), lengthField(8, 'map')];
    expect((await call(PROFILE, Buffer.concat([...unknown, REQUEST]))).status).toBe('OK');
  });

  it('gives a status for any bytes whatever', async () => {
    const { call } = await service();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (bytes) => {
        expect((await call(PROFILE, bytes)).status).toMatch(/^(OK|INVALID_ARGUMENT)$/);
      }),
      { numRuns: 60 },
    );
  });
});

describe('Terminate', () => {
  it('ends the session that it names', async () => {
    const { call, terminated } = await service();
    expect(await call(TERMINATE, lengthField(1, 'one'))).toMatchObject({
      status: 'OK',
      response: Buffer.alloc(0),
    });
    expect(terminated).toEqual(['one']);
  });

  it('says that there is no such session', async () => {
    const { call } = await service({ terminate: () => err(problem('unknown-capture', 'none')) });
    expect((await call(TERMINATE, lengthField(1, 'one'))).status).toBe('NOT_FOUND');
  });
});

describe('Monitor', () => {
  it('tells what was seen, in words and figures', async () => {
    const asked: number[] = [];
    const { call } = await service({
      monitor: async (durationMs) => {
        asked.push(durationMs);
        return ok({ text: 'int8: 7 runs', deviceIdlePercent: 25, stepMs: { avg: 2, min: 1, max: 3 } });
      },
    });
    const { response } = await call(MONITOR, Buffer.concat([varintField(1, 200), varintField(2, 2)]));
    expect(asked).toEqual([200]);
    expect(textOf(fieldOf(response, 1))).toBe('int8: 7 runs');
    const figures = bytesOf(fieldOf(response, 10));
    const double = (number: number) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(numberOf(fieldOf(figures, number)));
      return bytes.readDoubleLE();
    };
    expect(numberOf(fieldOf(figures, 1))).toBe(3n);
    expect([2, 4, 5, 6].map(double)).toEqual([25, 2, 1, 3]);
  });

  it('tells that there are no figures', async () => {
    const { call } = await service();
    const { response } = await call(MONITOR, Buffer.alloc(0));
    expect(textOf(fieldOf(response, 1))).toBe('nothing runs');
    expect(numberOf(fieldOf(bytesOf(fieldOf(response, 10)), 1))).toBe(0n);
  });
});

describe('what the service does not have', () => {
  it.each([
    '/tensorflow.ProfilerService/StartContinuousProfiling',
    '/tensorflow.ProfileAnalysis/NewSession',
    '/',
  ])('%s is said to be unimplemented', async (path) => {
    const { call } = await service();
    const answer = await call(path, Buffer.alloc(0));
    expect(answer.status).toBe('UNIMPLEMENTED');
    expect(answer.details).toContain('Profile, Monitor and Terminate');
  });
});
