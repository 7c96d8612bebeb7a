import { describe, expect, it } from 'vitest';
import type { HostSnapshot } from '../../../src/metrics/host-snapshot.ts';
import type { LatestReadings } from '../../../src/telemetry/latest-readings.ts';
import { create, DISK, GPU, HOST, series } from './full-metrics.ts';

/** Names of fields, however deep, that the first type has and the second has not. */
type Misnamed<E, R> = E extends readonly (infer EachE)[]
  ? R extends readonly (infer EachR)[]
    ? Misnamed<EachE, EachR>
    : 'a list'
  : E extends object
    ? string extends keyof E
      ? never
      : {
          [K in keyof E]-?: K extends keyof R ? Misnamed<NonNullable<E[K]>, NonNullable<R[K]>> : K;
        }[keyof E]
    : never;

const NOTHING: HostSnapshot = { health: {}, sources: {} };

describe('the host', () => {
  it('is taken from the readings of telemetry as they are', () => {
    const take = (readings: LatestReadings): HostSnapshot => readings;
    expect(take).toBeTypeOf('function');
  });

  it('exports no field that telemetry does not read under that name', () => {
    // The compiler names it; an optional field that nobody fills would never be missed otherwise.
    type Found = Misnamed<Omit<HostSnapshot, 'health' | 'sources'>, LatestReadings>;
    const misnamed: [Found] extends [never] ? readonly [] : readonly [Found] = [];
    expect(misnamed).toEqual([]);
  });

  it('exports counters of the kernel with their absolute values, even after they restarted', async () => {
    const metrics = create();
    metrics.setHost(HOST);
    metrics.setHost({
      ...NOTHING,
      cpu: { cpuCount: 2, secondsByMode: { user: 20 } },
      sources: { host: { state: 'up', restarts: 1, cost: { cpuSeconds: 0.1, missedTicks: 0 } } },
    });
    expect(await series(metrics, /^ptq_(host_cpu_|sampler_(missed|cpu))/)).toEqual([
      'ptq_host_cpu_seconds_total{mode="user"} 20',
      'ptq_sampler_missed_ticks_total{source="host"} 0',
      'ptq_sampler_cpu_seconds_total{source="host"} 0.1',
    ]);
  });

  it('shows nothing more of what the readings no longer have', async () => {
    const metrics = create();
    metrics.setHost(HOST);
    expect((await series(metrics, /^ptq_(host|disk|nvme|rapl|thermal|gpu)/)).length).toBeGreaterThan(60);
    metrics.setHost(NOTHING);
    expect(await series(metrics, /^ptq_(host|disk|nvme|rapl|thermal|gpu)/)).toEqual([]);
  });

  it('drops the series of the disk that is gone, and of it alone', async () => {
    const metrics = create();
    metrics.setHost({ ...NOTHING, disks: [DISK, { ...DISK, device: 'sda' }] });
    expect(await series(metrics, /device="sda"/)).toHaveLength(9);
    metrics.setHost({ ...NOTHING, disks: [DISK] });
    expect(await series(metrics, /device="sda"/)).toEqual([]);
    expect(await series(metrics, /device="nvme0n1"/)).toHaveLength(9);
  });

  it('has no limit of a cgroup that has none', async () => {
    const metrics = create();
    metrics.setHost({ ...NOTHING, cgroup: { memory: { currentBytes: 5 } } });
    expect(await series(metrics, /cgroup/)).toEqual(['ptq_host_cgroup_memory_bytes 5']);
  });
});

describe('a GPU', () => {
  const show = (...gpus: NonNullable<HostSnapshot['gpus']>['gpus']) => ({
    ...NOTHING,
    gpus: { backend: 'nvml', gpus },
  });

  it('has no series for what its driver does not tell', async () => {
    const metrics = create();
    metrics.setHost(show({ uuid: 'GPU-2', index: 1, name: 'Tesla T4', state: 'ok' }));
    expect(await series(metrics, /^ptq_gpu/)).toEqual([
      'ptq_gpu_info{gpu_uuid="GPU-2",index="1",name="Tesla T4",driver_version="",cuda_version="",pci_bus_id=""} 1',
      'ptq_gpu_backend_info{backend="nvml"} 1',
      'ptq_gpu_state{gpu_uuid="GPU-2",state="ok"} 1',
      'ptq_gpu_state{gpu_uuid="GPU-2",state="lost"} 0',
      'ptq_gpu_state{gpu_uuid="GPU-2",state="reset_required"} 0',
    ]);
  });

  it('that is lost says so, and shows no old reading', async () => {
    const metrics = create();
    metrics.setHost(show(GPU));
    metrics.setHost(show({ uuid: GPU.uuid, index: 0, name: GPU.name, state: 'lost' }));
    expect(await series(metrics, /^ptq_gpu_(state|util|memory|power|energy)/)).toEqual([
      'ptq_gpu_state{gpu_uuid="GPU-1",state="ok"} 0',
      'ptq_gpu_state{gpu_uuid="GPU-1",state="lost"} 1',
      'ptq_gpu_state{gpu_uuid="GPU-1",state="reset_required"} 0',
    ]);
  });

  it('that is gone takes its series along, and leaves those of the others', async () => {
    const metrics = create();
    metrics.setHost(show(GPU, { ...GPU, uuid: 'GPU-2' }));
    const ofOne = await series(metrics, /gpu_uuid="GPU-1"/);
    metrics.setHost(show(GPU));
    expect(await series(metrics, /gpu_uuid/)).toEqual(ofOne);
  });

  it('shows every reason to throttle as 0 or 1', async () => {
    const metrics = create();
    metrics.setHost(show({ ...GPU, throttleReasons: ['hw_thermal', 'sw_power_cap'] }));
    const lines = await series(metrics, /^ptq_gpu_throttle/);
    expect(lines).toHaveLength(9);
    expect(lines.filter((line) => line.endsWith(' 1'))).toEqual([
      'ptq_gpu_throttle_active{gpu_uuid="GPU-1",reason="sw_power_cap"} 1',
      'ptq_gpu_throttle_active{gpu_uuid="GPU-1",reason="hw_thermal"} 1',
    ]);
  });

  it('has one series of memory for the compute instances that share it, and drops parts that are gone', async () => {
    const [part] = GPU.mig;
    const metrics = create();
    metrics.setHost(show({ ...GPU, mig: [part, { ...part, uuid: 'MIG-2', computeInstanceId: 1 }] }));
    expect(await series(metrics, /^ptq_gpu_mig_(info|memory_total)/)).toEqual([
      'ptq_gpu_mig_info{gpu_uuid="GPU-1",mig_uuid="MIG-1",gpu_instance="7",compute_instance="0",name="1g.5gb"} 1',
      'ptq_gpu_mig_info{gpu_uuid="GPU-1",mig_uuid="MIG-2",gpu_instance="7",compute_instance="1",name="1g.5gb"} 1',
      'ptq_gpu_mig_memory_total_bytes{gpu_uuid="GPU-1",gpu_instance="7"} 5000000000',
    ]);
    metrics.setHost(show({ ...GPU, mig: [] }));
    expect(await series(metrics, /mig/)).toEqual([]);
  });
});
