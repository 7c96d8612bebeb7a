import { existsSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import type { Problem } from '../../../src/core/problem.ts';
import { runTask, WorkerProcess } from '../../../src/jobs/worker-process.ts';
import type { WorkerEvent } from '../../../src/jobs/worker-protocol.ts';
import { fakeWorker } from '../../support/fake-worker.ts';

const inspect = (model: string) =>
  ({ kind: 'digest', modelPath: model, data: { path: '/data.npz' } }) as const;

function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

describe('runTask', () => {
  it('gives the answer and leaves no process behind', async () => {
    const pids: string[] = [];
    const host = {
      ...fakeWorker(),
      onSpawn: (pid: number) => void pids.push(`spawn ${pid}`),
      onExit: (pid: number) => void pids.push(`exit ${pid}`),
    };
    expect(await runTask(host, inspect('good.onnx'))).toMatchObject({
      ok: true,
      value: { modelSizeBytes: 1000 },
    });
    const pid = Number(pids[0]?.split(' ')[1]);
    expect(pids).toEqual([`spawn ${pid}`, `exit ${pid}`]);
    expect(isRunning(pid)).toBe(false);
  });

  it('lets its end be waited for while the worker still runs, and only where it does', async () => {
    const seen: boolean[] = [];
    const host = { ...fakeWorker(), beforeEnd: async (pid: number) => void seen.push(isRunning(pid)) };
    await runTask(host, inspect('good.onnx'));
    expect(seen).toEqual([true]);
    await runTask(host, inspect('crash.onnx'));
    expect(seen).toEqual([true]);
  });

  it('says what the worker is for', async () => {
    const roles: string[] = [];
    const host = { ...fakeWorker(), onSpawn: (_pid: number, role: string) => void roles.push(role) };
    await runTask(host, inspect('good.onnx'));
    await runTask(host, { kind: 'evaluate' } as never);
    const named = new WorkerProcess(host, { role: 'bench' });
    await named.close();
    expect(roles).toEqual(['other', 'evaluate', 'bench']);
  });

  it('passes on what the worker tells on the way, with its bigints', async () => {
    const events: WorkerEvent[] = [];
    const { entry } = fakeWorker();
    const task = {
      kind: 'quantize',
      modelPath: 'good.onnx',
      outputPath: `${entry.pathname}.onnx`,
      data: { spec: { path: '/data.npz' }, split: 'calib' },
      recipe: {} as never,
      threads: 1,
    } as const;
    await runTask({ entry }, task, { onEvent: (event) => events.push(event) });
    expect(events.map(({ kind }) => kind)).toEqual(['phase', 'progress']);
    expect(events[0]).toMatchObject({ span: { startNs: 1n, endNs: 2n } });
  });

  it("gives the worker's own problem", async () => {
    const answer = await runTask(fakeWorker(), inspect('refuse.onnx'));
    expect(answer).toEqual({
      ok: false,
      error: { kind: 'not-onnx', message: 'this is no model', place: { file: 'refuse.onnx' } },
    });
  });

  it('tells a crash with the exit code and the last words', async () => {
    const answer = await runTask(fakeWorker(), inspect('crash.onnx'));
    expect(problemOf(answer)).toMatchObject({
      kind: 'worker-crashed',
      message:
        'the worker ended with exit code 7 before it was done; its last words: free(): invalid pointer',
    });
  });

  it('tells a kill from outside, and where to look for who did it', async () => {
    const answer = await runTask(fakeWorker(), inspect('killed.onnx'));
    expect(problemOf(answer)).toMatchObject({
      kind: 'worker-killed',
      message: 'the worker was ended by SIGKILL from outside',
      hint: expect.stringContaining('dmesg'),
    });
  });

  it('ends a waiting worker with SIGTERM when it is cancelled', async () => {
    const abort = new AbortController();
    const answer = runTask(fakeWorker(), inspect('wait.onnx'), {
      signal: abort.signal,
      onEvent: () => abort.abort(),
    });
    expect(problemOf(await answer)).toEqual({ kind: 'cancelled', message: 'the job was cancelled' });
  });

  it('ends a worker that ignores SIGTERM with SIGKILL', async () => {
    const abort = new AbortController();
    const worker = fakeWorker();
    const answer = runTask(worker, inspect('hang.onnx'), {
      signal: abort.signal,
      killAfterMs: 200,
      onEvent: () => abort.abort(),
    });
    expect(problemOf(await answer).kind).toBe('cancelled');
    expect(worker.requests()).toEqual(['digest hang.onnx', 'SIGTERM hang.onnx']);
  });

  it('does not start work that was cancelled before', async () => {
    const worker = fakeWorker();
    const answer = await runTask(worker, inspect('good.onnx'), { signal: AbortSignal.abort() });
    expect(problemOf(answer).kind).toBe('cancelled');
    expect(worker.requests()).toEqual([]);
  });

  it('tells when the worker cannot be started at all', async () => {
    const answer = await runTask({ entry: new URL('file:///nowhere/worker.mjs') }, inspect('good.onnx'));
    expect(problemOf(answer).kind).toBe('worker-crashed');
  });
});

describe('WorkerProcess', () => {
  it('answers request after request until it ends, and tells the end to whoever asks later', async () => {
    const worker = new WorkerProcess(fakeWorker());
    expect((await worker.ask(inspect('good.onnx'))).ok).toBe(true);
    expect(await worker.ask({ verb: 'finish' })).toMatchObject({ ok: true, value: { cpuSeconds: 1 } });
    process.kill(worker.pid as number, 'SIGKILL');
    expect((await worker.exited).kind).toBe('worker-killed');
    expect(problemOf(await worker.ask({ verb: 'finish' })).kind).toBe('worker-killed');
    await worker.close();
  });

  it('tells why it ended when a request finds it just gone', async () => {
    const worker = new WorkerProcess(fakeWorker());
    await worker.ask(inspect('good.onnx'));
    process.kill(worker.pid as number, 'SIGKILL');
    // Long enough for the channel to break; the end itself is not known before this function gives way.
    const end = performance.now() + 100;
    while (performance.now() < end);
    expect(problemOf(await worker.ask({ verb: 'finish' })).kind).toBe('worker-killed');
    await worker.close();
  });

  it('is gone when close has returned, even while it hangs', async () => {
    const worker = new WorkerProcess(fakeWorker());
    const answer = worker.ask(inspect('hang.onnx'));
    await vi.waitFor(() => expect(isRunning(worker.pid as number)).toBe(true));
    await worker.close();
    expect(isRunning(worker.pid as number)).toBe(false);
    expect(problemOf(await answer).kind).toBe('worker-killed');
  });
});

function problemOf(answer: { ok: true } | { ok: false; error: Problem }): Problem {
  if (answer.ok) throw new Error('expected a problem');
  return answer.error;
}
