import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLogger } from '../../../../src/core/log.ts';
import { ok } from '../../../../src/core/result.ts';
import { startProfiler } from '../../../../src/server/profiler/start-profiler.ts';
import { grpcCaller } from '../../../support/grpc-client.ts';
import { unwrap } from '../../../support/unwrap.ts';

const capture = {
  capture: () => Promise.reject(new Error('nobody captures here')),
  terminate: () => ok(undefined),
  monitor: async () => ok({ text: 'nothing runs' }),
};

async function start(host: string, port: number, isDefault: boolean) {
  const log: string[] = [];
  const logger = { ...silentLogger, info: note, warn: note };
  function note(message: string, fields: Readonly<Record<string, unknown>> = {}) {
    log.push(`${message} ${fields['profiler'] ?? fields['kind']}`);
  }
  const started = await startProfiler({ listen: { host, port }, isDefault }, capture, logger);
  const server = started.ok ? started.value : undefined;
  onTestFinished(() => server?.close());
  return { started, server, log };
}

describe('startProfiler', () => {
  it('serves, and tells where', async () => {
    const { server, log } = await start('127.0.0.1', 0, false);
    const { port = 0 } = server ?? {};
    expect(log).toEqual([`traces can be captured 127.0.0.1:${port}`]);
    const { status } = await grpcCaller(port).call('/tensorflow.ProfilerService/Monitor', Buffer.alloc(0));
    expect(status).toBe('OK');
  });

  it('does nothing where there is to be none', async () =>
    expect(unwrap(await startProfiler(undefined, capture, silentLogger))).toBeUndefined());

  it('goes without where the default port is taken, and says so', async () => {
    const { server } = await start('127.0.0.1', 0, false);
    const { started, log } = await start('127.0.0.1', server?.port ?? 0, true);
    expect(started).toEqual({ ok: true, value: undefined });
    expect(log).toEqual(['traces cannot be captured cannot-listen']);
  });

  it('refuses where the port that was asked for is taken', async () => {
    const { server } = await start('127.0.0.1', 0, false);
    const { started } = await start('127.0.0.1', server?.port ?? 0, false);
    expect(started).toMatchObject({
      error: { kind: 'cannot-listen', hint: expect.stringContaining('--profiler off') },
    });
  });
});
