import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SYSTEM_ROOTS } from '../../src/telemetry/collectors/collector.ts';
import { NvmlBackend } from '../../src/telemetry/collectors/gpu/nvml/nvml-backend.ts';
import { parseGpuLine } from '../../src/telemetry/collectors/gpu/smi/parse-gpu-line.ts';
import { chooseSmiFields } from '../../src/telemetry/collectors/gpu/smi/smi-fields.ts';
import { compileFakeNvml } from '../support/fake-nvml/build-fake-nvml.ts';

export interface GpuReadingCosts {
  /** CPU and wall time of one reading of one GPU through the fake NVML, processes included. */
  readonly nvmlSeconds: number;
  /** One line of the nvidia-smi that keeps running. */
  readonly lineSeconds: number;
}

const GPUS = 1;
const READINGS = 10_000;
const LINES = 50_000;

/** What reading a GPU costs on our side; the driver's own time, which a fake library does not have, comes on top. Needs gcc. */
export function gpuReadingCosts(): GpuReadingCosts {
  return { nvmlSeconds: nvmlSeconds(), lineSeconds: lineSeconds() };
}

function nvmlSeconds(): number {
  const folder = mkdtempSync(join(tmpdir(), 'ptq-nvml-'));
  try {
    const library = join(folder, 'libnvidia-ml.so.1');
    copyFileSync(compileFakeNvml(folder, { readsOnce: true }), library);
    writeFileSync(`${library}.state`, stateOf(GPUS));
    const backend = new NvmlBackend({ libraries: [library] });
    const read = () => backend.read(SYSTEM_ROOTS, [17]);
    for (let warmUp = 0; warmUp < 500; warmUp += 1) read();
    const start = performance.now();
    for (let reading = 0; reading < READINGS; reading += 1) {
      const outcome = read();
      if (!outcome.ok) throw new Error(outcome.error.message);
    }
    const seconds = (performance.now() - start) / 1e3;
    backend.close();
    return seconds / READINGS / GPUS;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function stateOf(count: number): string {
  const gpus = Array.from({ length: count }, (_, index) =>
    [
      'name NVIDIA H100 80GB HBM3',
      `uuid GPU-${index}`,
      `pci 0x233010de 00000000:1${index}:00.0`,
      'architecture 9',
      'utilization 97 40',
      'memory 85520809984 502267904 1000000000 84018542080',
      'limit 700000',
      'temperature 61',
      ...['1980', '1980', '2619', '1545'].map((megahertz, domain) => `clock${domain} ${megahertz}`),
      'throttle 4',
      ...['00', '10', '01', '11'].map((counter) => `ecc${counter} 0`),
      'migmode 0',
      'field82 1 70',
      'field83 3 7200500',
      'field94 1 0',
      'field185 1 650000',
      'field186 1 655000',
      'field197 3 1000',
      'field198 3 5000',
      'process0 17 1000000000 0 0',
    ].map((line) => `gpu${index} ${line}`),
  );
  return ['driver 570.1', 'cuda 12080', `count ${count}`, ...gpus.flat(), ''].join('\n');
}

function lineSeconds(): number {
  const names = [
    'index',
    'count',
    'uuid',
    'name',
    'pci.bus_id',
    'driver_version',
    'mig.mode.current',
    'utilization.gpu',
    'utilization.memory',
    'memory.total',
    'memory.reserved',
    'memory.used',
    'memory.free',
    'power.draw.instant',
    'power.draw.average',
    'enforced.power.limit',
    'temperature.gpu',
    'temperature.memory',
    'clocks.current.graphics',
    'clocks.current.sm',
    'clocks.current.memory',
    'clocks.current.video',
    'clocks_event_reasons.active',
  ];
  const fields = chooseSmiFields(names.map((name) => `"${name}"`).join('\n')) ?? [];
  const values: Readonly<Record<string, string>> = {
    index: '0',
    uuid: 'GPU-1',
    name: 'NVIDIA H100 80GB HBM3',
    'pci.bus_id': '00000000:41:00.0',
    'mig.mode.current': 'Disabled',
    'clocks_event_reasons.active': '0x0000000000000004',
  };
  const line = fields.map(({ name }) => values[name] ?? '1234.56').join(', ');
  const parse = () => {
    if (parseGpuLine(line, fields) === undefined) throw new Error('the line was not read');
  };
  for (let warmUp = 0; warmUp < 5_000; warmUp += 1) parse();
  const start = performance.now();
  for (let count = 0; count < LINES; count += 1) parse();
  return (performance.now() - start) / 1e3 / LINES;
}
