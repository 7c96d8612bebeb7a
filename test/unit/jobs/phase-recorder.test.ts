import { describe, expect, it } from 'vitest';
import type { PhaseSpan } from '../../../src/core/phase.ts';
import { createPhaseRecorder } from '../../../src/jobs/phase-recorder.ts';

function recorder(subject?: string) {
  let nowNs = 0n;
  const spans: PhaseSpan[] = [];
  const clock = {
    nowNs: () => {
      nowNs += 10n;
      return nowNs;
    },
    wallMs: () => 0,
  };
  return { phase: createPhaseRecorder(clock, (span) => spans.push(span), subject), spans };
}

describe('createPhaseRecorder', () => {
  it('tells when a phase began and ended, and gives what it returned', async () => {
    const { phase, spans } = recorder('int8');
    expect(await phase('load', async () => 42)).toBe(42);
    expect(spans).toEqual([{ phase: 'load', subject: 'int8', startNs: 10n, endNs: 20n }]);
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
});
