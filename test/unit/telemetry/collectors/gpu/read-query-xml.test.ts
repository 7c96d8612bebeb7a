import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { readQueryXml } from '../../../../../src/telemetry/collectors/gpu/smi/read-query-xml.ts';

const { parseStringPromise } = createRequire(import.meta.url)('xml2js') as {
  parseStringPromise(text: string, options: object): Promise<unknown>;
};

async function read(xml: string) {
  return readQueryXml(await parseStringPromise(xml, { explicitArray: false, trim: true }));
}

const GPU_570 = `<gpu id="00000000:41:00.0">
  <product_name>NVIDIA A100-SXM4-40GB</product_name><product_architecture>Ampere</product_architecture>
  <uuid>GPU-new</uuid>
  <mig_devices>None</mig_devices>
  <gpu_recovery_action>None</gpu_recovery_action>
  <pci><pci_bus_id>00000000:41:00.0</pci_bus_id><replay_counter>4</replay_counter>
    <tx_util>350 KB/s</tx_util><rx_util>300 KB/s</rx_util></pci>
  <clocks_event_reasons><clocks_event_reason_gpu_idle>Not Active</clocks_event_reason_gpu_idle>
    <clocks_event_reason_sw_power_cap>Active</clocks_event_reason_sw_power_cap></clocks_event_reasons>
  <fb_memory_usage><total>40960 MiB</total><reserved>518 MiB</reserved><used>10 MiB</used><free>40433 MiB</free></fb_memory_usage>
  <utilization><gpu_util>7 %</gpu_util><memory_util>0 %</memory_util></utilization>
  <ecc_errors>
    <volatile><sram_correctable>1</sram_correctable><sram_uncorrectable_parity>2</sram_uncorrectable_parity>
      <sram_uncorrectable_secded>3</sram_uncorrectable_secded><dram_correctable>4</dram_correctable>
      <dram_uncorrectable>N/A</dram_uncorrectable></volatile>
    <aggregate><sram_correctable>N/A</sram_correctable><dram_correctable>N/A</dram_correctable></aggregate>
  </ecc_errors>
  <temperature><gpu_temp>33 C</gpu_temp><memory_temp>34 C</memory_temp></temperature>
  <gpu_power_readings><average_power_draw>N/A</average_power_draw><instant_power_draw>49.68 W</instant_power_draw>
    <current_power_limit>400.00 W</current_power_limit></gpu_power_readings>
  <module_power_readings><average_power_draw>999 W</average_power_draw></module_power_readings>
  <clocks><graphics_clock>210 MHz</graphics_clock><sm_clock>210 MHz</sm_clock><mem_clock>1215 MHz</mem_clock><video_clock>585 MHz</video_clock></clocks>
  <max_clocks><sm_clock>1410 MHz</sm_clock></max_clocks>
  <processes><process_info><pid>17</pid><used_memory>2296 MiB</used_memory></process_info>
    <process_info><pid>18</pid><used_memory>N/A</used_memory></process_info></processes>
</gpu>`;

/** As drivers up to 525 named it, and a board whose errors are told by bits. */
const GPU_510 = `<gpu id="00000000:00:1E.0">
  <product_name>Tesla V100</product_name><uuid>GPU-old</uuid>
  <clocks_throttle_reasons><clocks_throttle_reason_hw_thermal_slowdown>Active</clocks_throttle_reason_hw_thermal_slowdown></clocks_throttle_reasons>
  <power_readings><power_draw>27.11 W</power_draw><power_limit>300.00 W</power_limit><enforced_power_limit>250.00 W</enforced_power_limit></power_readings>
  <fb_memory_usage><total>16160 MiB</total><used>0 MiB</used><free>16160 MiB</free></fb_memory_usage>
  <ecc_errors><volatile><single_bit><total>6</total></single_bit><double_bit><total>1</total></double_bit></volatile></ecc_errors>
  <processes></processes>
</gpu>`;

const log = (...gpus: readonly string[]) =>
  `<?xml version="1.0" ?><!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd"><nvidia_smi_log><driver_version>570.1</driver_version><cuda_version>12.8</cuda_version>${gpus.join('')}</nvidia_smi_log>`;

describe('nvidia-smi -q -x', () => {
  it('is read by the names of new drivers', async () =>
    expect(await read(log(GPU_570))).toEqual({
      driverVersion: '570.1',
      cudaVersion: '12.8',
      gpus: [
        {
          gpu: {
            uuid: 'GPU-new',
            index: 0,
            name: 'NVIDIA A100-SXM4-40GB',
            pciBusId: '0000:41:00.0',
            state: 'ok',
            utilizationRatio: 0.07,
            memoryActivityRatio: 0,
            memory: {
              totalBytes: 40960 * 2 ** 20,
              reservedBytes: 518 * 2 ** 20,
              usedBytes: 10 * 2 ** 20,
              freeBytes: 40433 * 2 ** 20,
            },
            powerWatts: { instant: 49.68 },
            powerLimitWatts: 400,
            temperatureCelsius: { gpu: 33, memory: 34 },
            clockHertz: { graphics: 210e6, sm: 210e6, memory: 1215e6, video: 585e6 },
            throttleReasons: ['sw_power_cap'],
            pcie: { rxBytesPerSecond: 300e3, txBytesPerSecond: 350e3, replays: 4 },
            eccErrors: { correctedVolatile: 5, uncorrectedVolatile: 5 },
          },
          processes: [{ pid: 17, usedBytes: 2296 * 2 ** 20 }, { pid: 18 }],
        },
      ],
    }));

  it('is read by the names of old drivers, and one GPU or several', async () =>
    expect((await read(log(GPU_510, GPU_570)))?.gpus.map(({ gpu }) => gpu)).toMatchObject([
      {
        uuid: 'GPU-old',
        index: 0,
        pciBusId: '0000:00:1e.0',
        powerWatts: { instant: 27.11 },
        powerLimitWatts: 250,
        throttleReasons: ['hw_thermal'],
        eccErrors: { correctedVolatile: 6, uncorrectedVolatile: 1 },
      },
      { uuid: 'GPU-new', index: 1 },
    ]));

  it.each([
    ['Ada Lovelace', 'NVIDIA L40S', { average: 27.11 }],
    ['Ampere', 'NVIDIA A100-SXM4-40GB', { instant: 27.11 }],
    ['Turing', 'Tesla T4', { instant: 27.11 }],
  ])('of an old driver and a GPU of %s tells power as it is', async (architecture, name, powerWatts) => {
    const gpu = GPU_510.replace('Tesla V100', name).replace(
      '<uuid>',
      `<product_architecture>${architecture}</product_architecture><uuid>`,
    );
    expect((await read(log(gpu)))?.gpus[0]?.gpu.powerWatts).toEqual(powerWatts);
  });

  it('names parts of a GPU that is split by their numbers', async () => {
    const part =
      '<mig_device><index>0</index><gpu_instance_id>2</gpu_instance_id><compute_instance_id>1</compute_instance_id><fb_memory_usage><total>40448 MiB</total><reserved>0 MiB</reserved><used>26 MiB</used><free>40422 MiB</free></fb_memory_usage></mig_device>';
    const gpu = GPU_570.replace('<mig_devices>None', `<mig_devices>${part}`);
    expect((await read(log(gpu)))?.gpus[0]?.gpu.mig).toEqual([
      {
        uuid: 'MIG-GPU-new/2/1',
        name: 'MIG 2/1',
        gpuInstanceId: 2,
        computeInstanceId: 1,
        memory: {
          totalBytes: 40448 * 2 ** 20,
          reservedBytes: 0,
          usedBytes: 26 * 2 ** 20,
          freeBytes: 40422 * 2 ** 20,
        },
      },
    ]);
  });

  it.each([
    ['<gpu_util>7 %</gpu_util>', '<gpu_util>GPU is lost</gpu_util>', 'lost'],
    ['<gpu_util>7 %</gpu_util>', '<gpu_util>GPU requires reset</gpu_util>', 'reset-required'],
    ['<gpu_recovery_action>None', '<gpu_recovery_action>Drain and Reset', 'reset-required'],
    ['<gpu_recovery_action>None', '<gpu_recovery_action>Reboot', 'reset-required'],
    [
      '<mig_devices>',
      '<gpu_reset_status><reset_required>Yes</reset_required></gpu_reset_status><mig_devices>',
      'reset-required',
    ],
  ])('tells of a GPU that does not work: %s becomes %s', async (from, to, state) =>
    expect((await read(log(GPU_570.replace(from, to))))?.gpus[0]?.gpu.state).toBe(state),
  );

  it.each([undefined, null, '', 'No devices were found', { html: {} }, { nvidia_smi_log: '' }])(
    'is not %o',
    (document) => expect(readQueryXml(document)).toBeUndefined(),
  );

  it('may be of a host without GPUs, or of one that tells nothing', async () => {
    expect(await read('<nvidia_smi_log><driver_version>N/A</driver_version></nvidia_smi_log>')).toEqual({
      gpus: [],
    });
    expect((await read('<nvidia_smi_log><gpu/></nvidia_smi_log>'))?.gpus).toEqual([
      { gpu: { uuid: 'gpu-0', index: 0, name: 'NVIDIA GPU', state: 'ok' }, processes: [] },
    ]);
  });
});
