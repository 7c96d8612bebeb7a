import { describe, expect, it } from 'vitest';
import { create, GPU, HOST, series, WORKER } from './full-metrics.ts';

const other = { ...WORKER, pid: 4712, startSeconds: 200 };

describe('workers', () => {
  it('are added up by role, and a process that is not ours is left out', async () => {
    const metrics = create();
    metrics.workerStarted(4711, 'bench');
    metrics.workerStarted(4712, 'bench');
    metrics.workerStarted(4713, 'quantize');
    const processes = [WORKER, other, { ...WORKER, pid: 4713 }, { ...WORKER, pid: 1 }];
    const processMemory = [4711, 4712, 4713, 1].map((pid) => ({ pid, pssBytes: 80_000_000 }));
    metrics.setHost({ ...HOST, processes, processMemory });
    expect(await series(metrics, /^ptq_worker/)).toEqual([
      'ptq_worker_processes{role="bench"} 2',
      'ptq_worker_processes{role="quantize"} 1',
      'ptq_worker_resident_memory_bytes{role="bench"} 180000000',
      'ptq_worker_resident_memory_bytes{role="quantize"} 90000000',
      'ptq_worker_threads{role="bench"} 24',
      'ptq_worker_threads{role="quantize"} 12',
      'ptq_worker_proportional_memory_bytes{role="bench"} 160000000',
      'ptq_worker_proportional_memory_bytes{role="quantize"} 80000000',
    ]);
    metrics.workerEnded(4711);
    metrics.workerEnded(4712);
    metrics.setHost({ ...HOST, processes });
    expect(await series(metrics, /^ptq_worker.*bench/)).toEqual([]);
  });

  it('have no sum where a part of it is not known', async () => {
    const metrics = create();
    metrics.workerStarted(4711, 'bench');
    metrics.workerStarted(4712, 'bench');
    const { threads: _threads, ...without } = other;
    metrics.setHost({ ...HOST, processes: [WORKER, without] });
    expect(await series(metrics, /^ptq_worker_(threads|processes)/)).toEqual([
      'ptq_worker_processes{role="bench"} 2',
    ]);
  });

  it('count what they used from one snapshot to the next, across the end of each', async () => {
    const metrics = create();
    const used = () => series(metrics, /^ptq_worker_(cpu|written)/);
    metrics.workerStarted(4711, 'bench');
    metrics.observeSnapshot({ health: {}, processes: [WORKER] });
    metrics.observeSnapshot({ health: {} });
    metrics.observeSnapshot({
      health: {},
      processes: [{ ...WORKER, cpuSeconds: 4, io: { readBytes: 1000, writtenBytes: 5000 } }],
    });
    expect(await used()).toEqual([
      'ptq_worker_cpu_seconds_total{role="bench"} 4',
      'ptq_worker_written_bytes_total{role="bench"} 5000',
    ]);
    metrics.workerEnded(4711);
    metrics.observeSnapshot({ health: {}, processes: [] });
    metrics.setHost({ health: {}, sources: {} });
    metrics.workerStarted(4711, 'bench');
    const next = { ...WORKER, startSeconds: 300, cpuSeconds: 0.5 };
    const { io: _io, ...unreadable } = next;
    metrics.observeSnapshot({ health: {}, processes: [unreadable] });
    expect(await used()).toEqual([
      'ptq_worker_cpu_seconds_total{role="bench"} 4.5',
      'ptq_worker_written_bytes_total{role="bench"} 5000',
    ]);
  });

  it('show the memory that they hold on each GPU', async () => {
    const metrics = create();
    metrics.workerStarted(1, 'bench');
    metrics.workerStarted(2, 'bench');
    metrics.workerStarted(3, 'evaluate');
    const processes = [
      { pid: 1, usedBytes: 10 },
      { pid: 2, usedBytes: 20 },
      { pid: 3 },
      { pid: 99, usedBytes: 5 },
    ];
    metrics.setHost({ ...HOST, gpus: { backend: 'nvml', gpus: [{ ...GPU, processes }] } });
    expect(await series(metrics, /^ptq_gpu_process/)).toEqual([
      'ptq_gpu_process_memory_bytes{gpu_uuid="GPU-1",role="bench"} 30',
    ]);
  });
});
