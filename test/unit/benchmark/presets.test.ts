import { describe, expect, it } from 'vitest';
import { presetSettings } from '../../../src/benchmark/presets.ts';
import { benchSettings } from '../../../src/benchmark/settings.ts';
import { PRESETS, SCENARIOS } from '../../../src/core/bench-terms.ts';

describe('presets of a benchmark', () => {
  it('are valid settings of every scenario', () => {
    const trace = { kind: 'trace', dueNs: Float64Array.of(0, 1e9) } as const;
    for (const scenario of SCENARIOS) {
      for (const preset of PRESETS) {
        const given = {
          scenario,
          ...presetSettings(preset, { scenario }),
          ...(scenario === 'replay' ? { trace } : {}),
        };
        expect(benchSettings(given), `${preset} ${scenario}`).toMatchObject({ ok: true });
      }
    }
  });

  it('are quick as long as LoadGen by default', () => {
    const { minDurationSeconds, minQueries } = presetSettings('quick', { scenario: 'single-stream' });
    const defaults = benchSettings({ scenario: 'single-stream' });
    expect(defaults).toMatchObject({ ok: true, value: { minDurationSeconds, minQueries } });
  });

  it('are standard long enough for an estimate of the percentile that is judged', () => {
    const queries = (scenario: (typeof SCENARIOS)[number], latencyBoundPermille?: number) =>
      presetSettings('standard', { scenario, latencyBoundPermille }).minQueries;
    expect(queries('single-stream')).toBe(100);
    expect(queries('multi-stream')).toBe(662);
    expect(queries('server')).toBe(662);
    expect(queries('constant-rate', 999)).toBe(6636);
    expect(queries('offline')).toBe(100);
  });

  it("have MLPerf's duration and counts", () => {
    const counts = Object.fromEntries(
      (['single-stream', 'multi-stream', 'server', 'offline'] as const).map((scenario) => [
        scenario,
        presetSettings('mlperf', { scenario }),
      ]),
    );
    expect(counts).toEqual({
      'single-stream': { minDurationSeconds: 600, minQueries: 100 },
      'multi-stream': { minDurationSeconds: 600, minQueries: 662 },
      server: { minDurationSeconds: 600, minQueries: 662 },
      offline: { minDurationSeconds: 600, minQueries: 24_576 },
    });
  });

  it('count samples, not runs, in an offline query', () => {
    const { minQueries } = presetSettings('mlperf', { scenario: 'offline', samplesPerRun: 10 });
    expect(minQueries).toBe(2458);
  });

  it('leave the length of a replay to its trace', () => {
    for (const preset of PRESETS) expect(presetSettings(preset, { scenario: 'replay' })).toEqual({});
  });
});
