import { describe, expect, it } from 'vitest';
import { answerOf, type NamedSut, type SutHandle } from '../../../src/benchmark/sut-handle.ts';
import { problem } from '../../../src/core/problem.ts';
import { err, ok } from '../../../src/core/result.ts';

const died = err(problem('worker-killed', 'the worker was ended by SIGINT'));

function system() {
  let stops = 0;
  const handle = { stop: () => void stops++ } as unknown as SutHandle;
  const identity = { model: 'm', variant: 'int8', device: 'cpu', provider: 'p', threads: 1 } as const;
  const sut: NamedSut = { identity, handle };
  return { sut, stops: () => stops };
}

describe('answerOf', () => {
  it('says that the benchmark was cancelled where the cancellation ended the system, too', async () => {
    const { sut, stops } = system();
    const abort = new AbortController();
    const ask = () =>
      new Promise<typeof died>((resolve) => {
        abort.signal.addEventListener('abort', () => resolve(died));
      });
    const answer = answerOf(sut, ask, { graceSeconds: 60, signal: abort.signal });
    abort.abort();
    expect(await answer).toMatchObject({ ok: false, error: { kind: 'bench-cancelled' } });
    expect(stops()).toBe(1);
  });

  it('says so, too, where the system threw because of it', async () => {
    const { sut } = system();
    const abort = new AbortController();
    const ask = () =>
      new Promise<never>((_resolve, reject) => {
        abort.signal.addEventListener('abort', () => reject(new Error('the channel is closed')));
      });
    const answer = answerOf(sut, ask, { graceSeconds: 60, signal: abort.signal });
    abort.abort();
    expect(await answer).toMatchObject({ error: { kind: 'bench-cancelled' } });
  });

  it('keeps what a system answers after it was asked to stop', async () => {
    const { sut } = system();
    const abort = new AbortController();
    const ask = () =>
      new Promise<ReturnType<typeof ok<number>>>((resolve) => {
        abort.signal.addEventListener('abort', () => resolve(ok(7)));
      });
    const answer = answerOf(sut, ask, { graceSeconds: 60, signal: abort.signal });
    abort.abort();
    expect(await answer).toEqual(ok(7));
  });

  it('says what ended a system where nobody cancelled', async () => {
    const { sut } = system();
    const { signal } = new AbortController();
    expect(await answerOf(sut, async () => died, { graceSeconds: 60, signal })).toEqual(died);
    const thrown = await answerOf(sut, () => Promise.reject(new Error('gone')), { graceSeconds: 60 });
    expect(thrown).toMatchObject({ error: { kind: 'sut-failed', message: 'int8 failed: gone' } });
  });
});
