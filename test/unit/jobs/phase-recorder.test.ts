import { describe, expect, it } from 'vitest';
import type { BegunPhase, PhaseSpan } from '../../../src/core/phase.ts';
import type { OwnCounters } from '../../../src/jobs/own-counters.ts';
import { createPhaseRecorder } from '../../../src/jobs/phase-recorder.ts';

function recorder(options: { readonly subject?: string; readonly readCounters?: () => OwnCounters } = {}) {
  let nowNs = 0n;
  const spans: PhaseSpan[] = [];
  const clock = {
    nowNs: () => {
      nowNs += 10n;
      return nowNs;
    },
    wallMs: () => 0,
  };
  const begun: BegunPhase[] = [];
  const phase = createPhaseRecorder(
    clock,
    (event) => (event.kind === 'phase' ? spans.push(event.span) : begun.push(event.begun)),
    options,
  );
  return { phase, spans, begun };
}

describe('createPhaseRecorder', () => {
  it('tells when a phase began and ended, and gives what it returned', async () => {
    const { phase, spans } = recorder({ subject: 'int8' });
    expect(await phase('load', async () => 42)).toBe(42);
    expect(spans).toEqual([{ phase: 'load', subject: 'int8', startNs: 10n, endNs: 20n }]);
  });

  it('tells that a phase has begun before it does anything', async () => {
    const { phase, begun, spans } = recorder({ subject: 'int8' });
    await phase('load', async () => {
      expect([begun, spans]).toEqual([[{ phase: 'load', subject: 'int8', startNs: 10n }], []]);
    });
  });

  it('has no subject where none was named', async () => {
    const { phase, spans } = recorder();
    await phase('evaluate', async () => undefined);
    expect(spans).toEqual([{ phase: 'evaluate', startNs: 10n, endNs: 20n }]);
  });

  it('records a phase that failed, and lets its error through', async () => {
    const { phase, spans } = recorder();
    const failing = phase('calibrate', async () => {
      throw new Error('no data');
    });
    await expect(failing).rejects.toThrow('no data');
    expect(spans).toHaveLength(1);
  });

  it('has what the process used meanwhile where its counters are given', async () => {
    const readings = [1, 4].map((cpuSeconds) => ({ pid: 5, cpuSeconds, peakRssBytes: 10 }));
    const { phase, spans } = recorder({ readCounters: () => readings.shift() as OwnCounters });
    await phase('write', async () => undefined);
    expect(spans).toMatchObject([{ phase: 'write', usage: { pid: 5, cpuSeconds: 3 } }]);
  });
});
