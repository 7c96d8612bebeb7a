import { describe, expect, it } from 'vitest';
import { create, HOST, series } from './full-metrics.ts';

const failed = { status: 'failed', problem: { kind: 'unreadable' }, durationSeconds: 0.002 } as const;

describe('the sampler', () => {
  it('tells a collector that failed from a source that the host does not have', async () => {
    const metrics = create();
    metrics.setHost(HOST);
    expect(await series(metrics, /^ptq_sampler_up/)).toEqual([
      'ptq_sampler_up{collector="cpu"} 1',
      'ptq_sampler_up{collector="memory"} 1',
      'ptq_sampler_up{collector="disks"} 0',
    ]);
  });

  it('counts a reading that came late as one that came, and as late', async () => {
    const metrics = create();
    const health = {
      cpu: { status: 'slow', durationSeconds: 0.05, problem: { kind: 'collector-slow' } },
    } as const;
    metrics.observeSnapshot({ health });
    metrics.setHost({ health, sources: {} });
    expect(await series(metrics, /^ptq_sampler_(up|errors.*slow)/)).toEqual([
      'ptq_sampler_up{collector="cpu"} 1',
      'ptq_sampler_errors_total{collector="cpu",reason="collector_slow"} 1',
    ]);
  });

  it('keeps the time of the last success while a collector fails', async () => {
    const metrics = create();
    metrics.setHost(HOST);
    metrics.setHost({ ...HOST, health: { cpu: { ...failed, lastSuccessMs: 1_790_000_000_250 } } });
    expect(await series(metrics, /^ptq_sampler_(up|last_success)/)).toEqual([
      'ptq_sampler_up{collector="cpu"} 0',
      'ptq_sampler_last_success_timestamp_seconds{collector="cpu"} 1790000000.25',
    ]);
  });

  it('shows the collectors of a process that does not answer as down, and no old reading of them', async () => {
    const metrics = create();
    metrics.setHost(HOST);
    const down = { status: 'down', problem: { kind: 'sampler-silent' } } as const;
    metrics.setHost({
      health: { cpu: { ...down, lastSuccessMs: 1_790_000_000_250 }, disks: down },
      sources: { host: { state: 'down', restarts: 2 } },
    });
    expect(await series(metrics, /^ptq_(host|disk|sampler)/)).toEqual([
      'ptq_sampler_up{collector="cpu"} 0',
      'ptq_sampler_up{collector="disks"} 0',
      'ptq_sampler_last_success_timestamp_seconds{collector="cpu"} 1790000000.25',
      'ptq_sampler_process_up{source="host"} 0',
      'ptq_sampler_process_restarts_total{source="host"} 2',
    ]);
  });

  it('shows nothing of a process that was asked to pause', async () => {
    const metrics = create();
    metrics.setHost({ health: {}, sources: { host: { state: 'paused', restarts: 2 } } });
    expect(await series(metrics, /^ptq_sampler_/)).toEqual([]);
  });

  it('counts failures by collector and reason, from a zero that comes with the first reading', async () => {
    const metrics = create();
    metrics.observeSnapshot({ health: { cpu: { status: 'ok', durationSeconds: 0.000_05 } } });
    metrics.observeSnapshot({ health: { cpu: failed } });
    metrics.observeSnapshot({ health: { cpu: failed } });
    metrics.observeSnapshot({ health: { cpu: { status: 'down', problem: { kind: 'collector-hung' } } } });
    expect(await series(metrics, /^ptq_sampler_errors/)).toEqual([
      'ptq_sampler_errors_total{collector="cpu",reason="unreadable"} 2',
      'ptq_sampler_errors_total{collector="cpu",reason="malformed"} 0',
      'ptq_sampler_errors_total{collector="cpu",reason="collector_hung"} 1',
    ]);
  });

  it('measures how long readings took, failed ones too, and nothing where there is no source', async () => {
    const metrics = create();
    const absent = { status: 'failed', problem: { kind: 'absent' }, durationSeconds: 1 } as const;
    metrics.observeSnapshot({ health: { cpu: { status: 'ok', durationSeconds: 0.000_05 }, rapl: absent } });
    metrics.observeSnapshot({ health: { cpu: failed } });
    expect(
      await series(metrics, /^ptq_sampler_duration.*(le="(3e-05|0.00003|0.0001|0.003|\+Inf)"|_sum|_count)/),
    ).toEqual([
      'ptq_sampler_duration_seconds_bucket{collector="cpu",le="0.00003"} 0',
      'ptq_sampler_duration_seconds_bucket{collector="cpu",le="0.0001"} 1',
      'ptq_sampler_duration_seconds_bucket{collector="cpu",le="0.003"} 2',
      'ptq_sampler_duration_seconds_bucket{collector="cpu",le="+Inf"} 2',
      'ptq_sampler_duration_seconds_sum{collector="cpu"} 0.00205',
      'ptq_sampler_duration_seconds_count{collector="cpu"} 2',
    ]);
    expect(await series(metrics, /rapl/)).toEqual([]);
  });
});
