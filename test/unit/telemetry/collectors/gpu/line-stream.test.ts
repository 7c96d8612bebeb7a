import { describe, expect, it, vi } from 'vitest';
import { LineStream, type StreamEnd } from '../../../../../src/telemetry/collectors/gpu/smi/line-stream.ts';

const WAIT = { timeout: 10_000, interval: 10 };
const LIMITS = { firstLineMs: 5_000, silenceMs: 5_000, killAfterMs: 200 };

describe('a stream of lines', () => {
  it('joins what comes in pieces, and keeps what is no line of ours for its end', async () => {
    const { lines, ended } = run("printf 'on'; sleep 0.2; printf 'e\\r\\ntwo\\nno'; echo ise >&2; exit 3");
    expect(await ended()).toEqual({
      kind: 'exit',
      code: 3,
      signal: null,
      words: expect.stringContaining('two\n'),
    });
    expect(lines).toEqual(['one', 'two']);
  });

  it('holds no more of a line that does not end than a line can be long', async () => {
    const { ended } = run("head -c 1000000 /dev/zero | tr '\\0' x");
    const end = await ended();
    expect(end.kind === 'exit' && end.words.length).toBeLessThan(70_000);
  });

  it('is told to have ended when it falls silent, and is killed when it does not heed that', async () => {
    const { stream, ended } = run("trap '' TERM; echo one; while :; do sleep 0.1; done", {
      ...LIMITS,
      silenceMs: 300,
    });
    expect(await ended()).toEqual({ kind: 'silent', silentMs: 300 });
    expect(stream.hasExited).toBe(false);
    await vi.waitFor(() => expect(stream.hasExited).toBe(true), WAIT);
  });

  it('may be stopped, and then tells nothing more', async () => {
    const { stream, lines, ends } = run('while :; do echo one; sleep 0.02; done');
    await vi.waitFor(() => expect(lines.length).toBeGreaterThan(1), WAIT);
    stream.stop();
    const seen = lines.length;
    await vi.waitFor(() => expect(stream.hasExited).toBe(true), WAIT);
    expect(lines).toHaveLength(seen);
    expect(ends).toEqual([]);
  });

  it('that cannot be started says so', async () => {
    const ends: StreamEnd[] = [];
    const events = { line: () => true, ended: (end: StreamEnd) => void ends.push(end) };
    const stream = new LineStream('/nowhere/program', [], LIMITS, events);
    await vi.waitFor(() => expect(ends).toEqual([{ kind: 'not-started', code: 'ENOENT' }]), WAIT);
    expect(stream.hasExited).toBe(true);
  });
});

/** Lines that begin with "o" are asked for. */
function run(script: string, limits = LIMITS) {
  const lines: string[] = [];
  const ends: StreamEnd[] = [];
  const stream = new LineStream('/bin/sh', ['-c', script], limits, {
    line: (text) => {
      lines.push(text);
      return text.startsWith('o');
    },
    ended: (end) => {
      ends.push(end);
    },
  });
  const ended = () =>
    vi.waitFor(() => {
      const [end] = ends;
      if (end === undefined) throw new Error('it goes on');
      return end;
    }, WAIT);
  return { stream, lines, ends, ended };
}
