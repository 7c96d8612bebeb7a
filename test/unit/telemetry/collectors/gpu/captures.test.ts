import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { GpuBackend } from '../../../../../src/telemetry/collectors/gpu/gpu-backend.ts';
import type { GpuReading } from '../../../../../src/telemetry/collectors/gpu/gpu-reading.ts';
import { NvmlBackend } from '../../../../../src/telemetry/collectors/gpu/nvml/nvml-backend.ts';
import { NodeNvidiaSmiBackend } from '../../../../../src/telemetry/collectors/gpu/smi/node-nvidia-smi-backend.ts';
import { NvidiaSmiBackend } from '../../../../../src/telemetry/collectors/gpu/smi/nvidia-smi-backend.ts';
import { type FakeSmiState, installFakeSmi } from '../../../../support/fake-nvidia-smi/install-fake-smi.ts';
import {
  compileFakeNvml,
  installFakeNvml,
  NO_COMPILER,
} from '../../../../support/fake-nvml/build-fake-nvml.ts';
import {
  captureSection,
  expectedReading,
  nvmlStateOf,
  OFFERED_FIELDS,
  type RecordedGpu,
  recordedFromRow,
  recordedFromXml,
  recordedRows,
  smiRowOf,
} from '../../../../support/gpu-captures.ts';
import { fixtureHost } from '../../host-tree.ts';

const FOLDER = process.env['PTQ_CAPTURES'];
const FILES = FOLDER === undefined ? [] : readdirSync(FOLDER).sort();

interface Recording {
  readonly name: string;
  readonly gpus: readonly RecordedGpu[];
  readonly smi: FakeSmiState;
}

const RECORDINGS: readonly Recording[] = FILES.flatMap((file): readonly Recording[] => {
  const text = readFileSync(join(FOLDER ?? '', file), 'utf8');
  if (file.endsWith('.xml')) {
    const gpus = recordedFromXml(text);
    return [{ name: file, gpus, smi: { gpus: gpus.map(smiRowOf), offered: OFFERED_FIELDS, xml: text } }];
  }
  const help = captureSection(text, 'capabilities :: help-query-gpu');
  return ['idle', 'load'].map((load) => {
    const rows = recordedRows(captureSection(text, `${load} :: query-gpu (csv`));
    const offered = Object.keys(rows[0] ?? {});
    return {
      name: `${file} ${load}`,
      gpus: rows.map(recordedFromRow),
      smi: { gpus: rows, offered, help },
    };
  });
});

describe.skipIf(FOLDER === undefined)(
  `recorded GPUs${FOLDER === undefined ? ': PTQ_CAPTURES names no folder of them' : ''}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'ptq-nvml-'));
    let library = '';
    beforeAll(() => {
      if (NO_COMPILER === undefined) library = compileFakeNvml(folder);
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it('are all there', () => {
      const names = RECORDINGS.map(({ name }) => name).join('\n');
      for (const kind of [
        'a100',
        'h100',
        'h200',
        'mig',
        'l40s',
        't4',
        'lost',
        'ecc',
        'throttle',
        'idle',
        'load',
      ]) {
        expect(names).toContain(kind);
      }
      expect(RECORDINGS.every(({ gpus }) => gpus.length > 0)).toBe(true);
    });

    it.each(RECORDINGS)('$name is read by the nvidia-smi that keeps running', async ({ gpus, smi }) => {
      const backend = new NvidiaSmiBackend({ command: installFakeSmi(smi).command });
      expectSame(await firstReading(backend), gpus);
    });

    it.skipIf(NO_COMPILER !== undefined).each(RECORDINGS)('$name is read by NVML', async ({ gpus }) => {
      const fake = installFakeNvml(library, nvmlStateOf(gpus));
      const read = await firstReading(new NvmlBackend({ libraries: [fake.library] }));
      // Of a lost GPU NVML tells nothing at all.
      expectSame(
        read,
        gpus.map((gpu) => (gpu.isLost ? { ...gpu, numbers: {} } : gpu)),
      );
    });

    it.each(RECORDINGS.filter(({ smi }) => smi.xml !== undefined))(
      '$name is read by node-nvidia-smi',
      async ({ gpus, smi }) => {
        vi.stubEnv('PATH', `${installFakeSmi(smi).folder}:${process.env['PATH']}`);
        onTestFinished(() => {
          vi.unstubAllEnvs();
        });
        expectSame(await firstReading(new NodeNvidiaSmiBackend()), gpus);
      },
    );
  },
);

async function firstReading(backend: GpuBackend): Promise<readonly GpuReading[]> {
  onTestFinished(() => backend.close());
  return await vi.waitFor(
    () => {
      const outcome = backend.read(fixtureHost, []);
      if (!outcome.ok) throw new Error(outcome.error.message);
      return outcome.value.gpus;
    },
    { timeout: 20_000, interval: 20 },
  );
}

function expectSame(read: readonly GpuReading[], recorded: readonly RecordedGpu[]): void {
  const comparable = read.map(({ pciBusId, pcie, processes, mig, ...gpu }) => gpu);
  expect(comparable).toEqual(
    recorded.map((gpu, index) => {
      const { throttleReasons, ...expected } = expectedReading(gpu, index);
      return gpu.isLost && Object.keys(gpu.numbers).length === 0
        ? expected
        : { ...expected, throttleReasons };
    }),
  );
}
