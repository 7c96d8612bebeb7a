import { execFileSync } from 'node:child_process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SYSTEM_ROOTS } from '../../src/telemetry/collectors/collector.ts';
import { NvmlBackend } from '../../src/telemetry/collectors/gpu/nvml/nvml-backend.ts';
import { isBuilt, runProgram } from '../support/program.ts';
import { unwrap } from '../support/unwrap.ts';

const FIELDS = [
  'uuid',
  'name',
  'driver_version',
  'memory.total',
  'memory.used',
  'temperature.gpu',
  'power.draw',
  'enforced.power.limit',
  'clocks.sm',
  'utilization.gpu',
] as const;

type Row = Readonly<Record<(typeof FIELDS)[number], string>>;

function askNvidiaSmi(): readonly Row[] | undefined {
  try {
    const parameters = [`--query-gpu=${FIELDS.join(',')}`, '--format=csv,noheader,nounits'];
    const text = execFileSync('nvidia-smi', parameters, { encoding: 'utf8', timeout: 60_000 });
    return text
      .trim()
      .split('\n')
      .map((line) => {
        const values = line.split(', ');
        return Object.fromEntries(FIELDS.map((field, at) => [field, values[at] ?? ''])) as Row;
      });
  } catch {
    return undefined;
  }
}

const FIRST = askNvidiaSmi();

describe.skipIf(FIRST === undefined)(
  `a real GPU${FIRST === undefined ? ': nvidia-smi finds none here' : ''}`,
  () => {
    it('is read alike by NVML and by nvidia-smi at the same instant', () => {
      const backend = new NvmlBackend();
      onTestFinished(() => backend.close());
      backend.read(SYSTEM_ROOTS, []);
      const before = askNvidiaSmi() ?? [];
      const startMs = performance.now();
      const reading = unwrap(backend.read(SYSTEM_ROOTS, []));
      const readingMs = performance.now() - startMs;
      const after = askNvidiaSmi() ?? [];
      process.stderr.write(
        `one reading of ${reading.gpus.length} GPUs by NVML took ${readingMs.toFixed(2)} ms\n`,
      );

      expect(reading.gpus.map(({ uuid, name }) => ({ uuid, name }))).toEqual(
        before.map(({ uuid, name }) => ({ uuid, name })),
      );
      reading.gpus.forEach((gpu, index) => {
        const [row, later] = [before[index], after[index]];
        if (row === undefined || later === undefined) throw new Error('a GPU went between two queries');
        expect(reading.driverVersion).toBe(row.driver_version);
        /** Between the two answers of nvidia-smi, give or take what changes in a moment. */
        const within = (value: number | undefined, field: keyof Row, slack: number) => {
          const ends = [Number(row[field]), Number(later[field])];
          if (ends.some(Number.isNaN)) return;
          expect(value, field).toBeGreaterThanOrEqual(Math.min(...ends) - slack);
          expect(value, field).toBeLessThanOrEqual(Math.max(...ends) + slack);
        };
        const mebibytes = (bytes: number | undefined) => (bytes ?? Number.NaN) / 2 ** 20;
        within(mebibytes(gpu.memory?.totalBytes), 'memory.total', 1);
        within(mebibytes(gpu.memory?.usedBytes), 'memory.used', 64);
        within(gpu.temperatureCelsius?.gpu, 'temperature.gpu', 3);
        within(gpu.powerWatts?.average ?? gpu.powerWatts?.instant, 'power.draw', 40);
        within(gpu.powerLimitWatts, 'enforced.power.limit', 0.01);
        within((gpu.clockHertz?.sm ?? Number.NaN) / 1e6, 'clocks.sm', 1_000);
        within((gpu.utilizationRatio ?? Number.NaN) * 100, 'utilization.gpu', 50);
      });
    });

    it.skipIf(!isBuilt)(
      'is driven by confined workers on every device that has what it needs',
      async () => {
        const { stdout } = await runProgram(['doctor', '--json']);
        const { devices } = JSON.parse(stdout) as { readonly devices: readonly { readonly state: string }[] };
        process.stderr.write(`${JSON.stringify(devices)}\n`);
        expect(devices.filter(({ state }) => state === 'fails')).toEqual([]);
        expect(devices).not.toContainEqual(expect.objectContaining({ softwareOnly: true }));
      },
      120_000,
    );
  },
);
