import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openNotifySocket } from '../../../../src/cli/daemon/notify-socket.ts';
import { openSupervisor, type SupervisorDeps } from '../../../../src/cli/daemon/supervisor.ts';
import { ok } from '../../../../src/core/result.ts';
import { receiveDatagrams } from '../../../support/datagram-receiver.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

function supervised(env: NodeJS.ProcessEnv, more: Partial<SupervisorDeps> = {}) {
  const warnings: string[] = [];
  const note = (message: string) => void warnings.push(message);
  const supervisor = openSupervisor(env, {
    logger: { debug: () => {}, info: () => {}, warn: note, error: note },
    pid: 42,
    nowNs: () => 7_000_001_999n,
    ...more,
  });
  return { supervisor, warnings };
}

describe('openSupervisor', () => {
  it.each(['path', 'abstract'])('tells a manager that listens at an address of the kind %s', (kind) => {
    const address = kind === 'path' ? join(temporaryFolder(), 'notify') : `@ptq-agent-test-${process.pid}`;
    const received = receiveDatagrams(address);
    const { supervisor, warnings } = supervised({ NOTIFY_SOCKET: address });
    supervisor.ready('3 models');
    supervisor.status('3 models');
    supervisor.status('benchmarks\ntiny\nMAINPID=1');
    supervisor.reloading();
    supervisor.ready('4 models');
    supervisor.stopping('waiting for a run');
    expect(received()).toEqual([
      'READY=1\nSTATUS=3 models',
      'STATUS=benchmarks tiny MAINPID=1',
      'RELOADING=1\nMONOTONIC_USEC=7000001',
      'READY=1\nSTATUS=4 models',
      'STOPPING=1\nSTATUS=waiting for a run',
    ]);
    expect(warnings).toEqual([]);
    supervisor.close();
  });

  it('does nothing where nobody listens for it', () => {
    const { supervisor, warnings } = supervised({});
    supervisor.ready('3 models');
    supervisor.keepAlive(() => true);
    supervisor.close();
    expect(warnings).toEqual([]);
  });

  it('keeps what is for itself from the processes that it starts', () => {
    const env = { NOTIFY_SOCKET: '', WATCHDOG_USEC: '1000000', WATCHDOG_PID: '42', PATH: '/bin' };
    supervised(env);
    expect(env).toEqual({ PATH: '/bin' });
  });

  it.each(['vsock:2:1', 'relative/path', `/${'long'.repeat(40)}`, '@', ''])(
    'goes without the address %j',
    (address) => {
      const { supervisor, warnings } = supervised({ NOTIFY_SOCKET: address });
      supervisor.ready('3 models');
      expect(warnings).toHaveLength(address === '' ? 0 : 1);
    },
  );

  it('tells once that nobody reads what it sends, and again after somebody did', () => {
    const address = join(temporaryFolder(), 'notify');
    const { supervisor, warnings } = supervised({ NOTIFY_SOCKET: address });
    supervisor.ready('one');
    supervisor.status('two');
    expect(warnings).toEqual(['the service manager does not hear']);
    const received = receiveDatagrams(address);
    supervisor.status('three');
    expect(received()).toEqual(['STATUS=three']);
    supervisor.close();
  });

  it('does not wait for a manager that has stopped reading', () => {
    const address = join(temporaryFolder(), 'notify');
    receiveDatagrams(address);
    const opened = openNotifySocket(address);
    if (!opened.ok) throw new Error(opened.error.message);
    const sent = Array.from({ length: 5000 }, () => opened.value.send('x'.repeat(2000)));
    expect(sent[0]).toBe(true);
    expect(sent.at(-1)).toBe(false);
    opened.value.close();
  });

  describe('with a watchdog', () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
    afterEach(() => void vi.useRealTimers());

    const watched = (env: NodeJS.ProcessEnv) => {
      const sent: string[] = [];
      const socket = { send: (text: string) => sent.push(text) > 0, close: () => {} };
      return { sent, ...supervised({ NOTIFY_SOCKET: '/run/notify', ...env }, { open: () => ok(socket) }) };
    };

    it('gives a sign of life twice in the time that the manager waits', () => {
      const { supervisor, sent } = watched({ WATCHDOG_USEC: '20000000', WATCHDOG_PID: '42' });
      supervisor.keepAlive(() => true);
      vi.advanceTimersByTime(60_000);
      expect(sent).toEqual(Array(7).fill('WATCHDOG=1'));
    });

    it('gives none while the queue does not go on, says so once, and goes on with it', () => {
      const { supervisor, sent, warnings } = watched({ WATCHDOG_USEC: '20000000' });
      let isAlive = true;
      supervisor.keepAlive(() => isAlive);
      isAlive = false;
      vi.advanceTimersByTime(60_000);
      expect(sent).toHaveLength(1);
      expect(warnings).toHaveLength(1);
      isAlive = true;
      vi.advanceTimersByTime(10_000);
      expect(sent).toHaveLength(2);
    });

    it.each<[string, NodeJS.ProcessEnv]>([
      ['another process is watched', { WATCHDOG_USEC: '20000000', WATCHDOG_PID: '7' }],
      ['the time is none', { WATCHDOG_USEC: 'soon' }],
      ['nobody asks for it', {}],
    ])('gives none where %s', (_why, env) => {
      const { supervisor, sent } = watched(env);
      supervisor.keepAlive(() => true);
      vi.advanceTimersByTime(60_000);
      expect(sent).toEqual([]);
    });
  });
});
