import { describe, expect, it } from 'vitest';
import { runSoak, type SoakControls } from '../../../../src/benchmark/soak/soak.ts';
import type { NamedSut } from '../../../../src/benchmark/sut-handle.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { problem } from '../../../../src/core/problem.ts';
import { err } from '../../../../src/core/result.ts';
import { settingsOf, USAGE, virtualSut } from '../fakes.ts';

const settings = settingsOf({
  scenario: 'closed-loop',
  rounds: 12,
  minDurationSeconds: 2.4,
  maxDurationSeconds: 2.4,
  minQueries: 1,
  warmUpWindowSeconds: 0.01,
});

const MILLISECOND = 1_000_000;

function soak(sut: NamedSut, more: Partial<SoakControls> = {}) {
  return runSoak(sut, settings, { clock: systemClock, readRssBytes: () => 2 ** 27, ...more });
}

/** Does something before every round. */
function beforeRounds(sut: NamedSut, hook: (index: number) => void): NamedSut {
  const round: typeof sut.handle.round = (spec, onRuns) => {
    hook(spec.index);
    return sut.handle.round(spec, onRuns);
  };
  return { ...sut, handle: { ...sut.handle, round } };
}

describe('runSoak', () => {
  it('sums each window up and finds no creep where nothing creeps', async () => {
    const told: number[] = [];
    const result = await soak(
      virtualSut('fp32', () => MILLISECOND),
      { onWindow: (completed) => told.push(completed) },
    );
    expect(result).toMatchObject({
      variant: 'fp32',
      scenario: 'closed-loop',
      plannedWindows: 12,
      peakRssBytes: 64 * 2 ** 20,
      otherOutputs: 0,
      warnings: [],
      failure: null,
    });
    expect(told).toEqual(Array.from({ length: 13 }, (_, completed) => completed));
    expect(result.windows).toHaveLength(12);
    expect(result.windows[3]).toMatchObject({
      index: 3,
      startSeconds: expect.closeTo(0.6, 3),
      durationSeconds: 0.2,
      queries: 200,
      throughput: 1000,
      p50Seconds: 1e-3,
      p99Seconds: 1e-3,
      rssBytes: 2 ** 27,
      complete: true,
    });
    expect(result.creep.map(({ outcome }) => outcome)).toEqual(['steady', 'steady', 'steady']);
  });

  it('finds a model that gets slower run by run, and memory that grows window by window', async () => {
    let reads = 0;
    const result = await soak(
      virtualSut('slows', (run) => MILLISECOND + run * 100),
      { readRssBytes: () => 2 ** 27 + ++reads * 2 ** 20 },
    );
    expect(result.creep.map(({ outcome }) => outcome)).toEqual(['creeps', 'creeps', 'creeps']);
  });

  it('keeps the windows before a failure, ends the process, and does not ask for its usage', async () => {
    const events: string[] = [];
    const sut = virtualSut('dies', () => MILLISECOND, events);
    const failure = problem('worker-killed', 'it was killed');
    const dying: NamedSut = {
      ...sut,
      handle: {
        ...sut.handle,
        round: async (spec, onRuns) => (spec.index < 3 ? sut.handle.round(spec, onRuns) : err(failure)),
      },
    };
    const result = await soak(dying);
    expect(result).toMatchObject({ failure, peakRssBytes: null });
    expect(result.windows.map(({ complete }) => complete)).toEqual([true, true, true]);
    expect(result.creep[0]).toMatchObject({ outcome: 'too-few-windows', windows: 2 });
    expect(events.slice(-1)).toEqual(['kill dies']);
  });

  it.each(['load', 'warmUp'] as const)('says why there is nothing where %s fails', async (step) => {
    const sut = virtualSut('refused', () => MILLISECOND);
    const failure = problem('not-onnx', 'no model');
    const result = await soak({ ...sut, handle: { ...sut.handle, [step]: async () => err(failure) } });
    expect(result).toMatchObject({ windows: [], failure });
  });

  it('keeps what there is when it is cancelled, and leaves the window that was cut short out of the trends', async () => {
    const abort = new AbortController();
    const sut = beforeRounds(
      virtualSut('fp32', () => MILLISECOND),
      (index) => {
        if (index === 11) abort.abort();
      },
    );
    const result = await soak(sut, { signal: abort.signal });
    expect(result.failure).toMatchObject({ kind: 'bench-cancelled' });
    expect(result.windows).toHaveLength(12);
    expect(result.windows.at(-1)).toMatchObject({ complete: false });
    expect(result.creep[0]).toMatchObject({ outcome: 'steady', windows: 10 });
  });

  it('counts outputs that differ from those without load', async () => {
    const sut = virtualSut('fp32', () => MILLISECOND);
    const mismatch = { sample: 1, output: 'y', reason: 'it is NaN' };
    const outputCheck = { ...USAGE.outputCheck, compared: 9, mismatches: [mismatch, mismatch] };
    const finish = async () => ({ ok: true, value: { ...USAGE, outputCheck } }) as const;
    expect(await soak({ ...sut, handle: { ...sut.handle, finish } })).toMatchObject({ otherOutputs: 2 });
  });
});
