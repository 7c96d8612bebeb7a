import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { BenchResult } from '../../src/benchmark/bench-result.ts';
import { loadBenchFile } from '../../src/config/load-bench-file.ts';
import { deviceAvailability } from '../../src/runtime/devices.ts';
import { thisMachine } from '../../src/runtime/machine.ts';
import {
  compileFakeNvml,
  type FakeNvml,
  installFakeNvml,
  NO_COMPILER,
} from '../support/fake-nvml/build-fake-nvml.ts';
import { DIGITS_DATA, DIGITS_MODEL, isBuilt, type Program, startProgram } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

const unmet = NO_COMPILER ?? (isBuilt ? undefined : 'needs npm run build');
const hasWebGpu = deviceAvailability(thisMachine()).some(
  ({ device, available }) => device === 'webgpu' && available,
);

const GIB = 2 ** 30;
const TWO_GPUS = 'count 2\ngpu0 uuid GPU-1\ngpu0 name A\ngpu1 uuid GPU-2\ngpu1 name A\n';

describe.skipIf(unmet !== undefined)(
  `memory in the results of bench${unmet === undefined ? '' : `: ${unmet}`}`,
  () => {
    afterEach(() => {
      vi.unstubAllEnvs();
    });

    it('has what the driver lists of each process, over all GPUs, and what its arena holds', async () => {
      const fake = useFakeNvml();
      const folder = temporaryFolder();
      const copy = join(folder, 'copy.onnx');
      copyFileSync(DIGITS_MODEL, copy);
      const options = ['--sampling', '10hz', '--processes', '1', '-o', join(folder, 'r.json'), '--summary'];
      const program = bench([copy, ...options]);
      const { code, stdout, stderr } = await listingWorkers(program, fake, (index) => [
        `gpu0 process0 ${(index + 1) * GIB}`,
        `gpu1 process0 ${GIB / 2}`,
      ]);
      expect([0, 1], stderr).toContain(code);
      const file = unwrap(await loadBenchFile(join(folder, 'r.json')));
      const [first, second] = file.measurements[0]?.results ?? [];
      const peaks = [first, second].map((result) => (result?.peakGpuMemoryBytes ?? 0) / GIB);
      // Which of the two is started first is drawn, and others read the model and the data before.
      const [low = 0, high = 0] = peaks.sort();
      expect(high - low).toBe(1);
      expect(low % 1).toBe(0.5);
      expect(first?.arenaBytes).toBeGreaterThan(2 ** 16);
      expect(stdout).toMatch(/^model .* peak memory +GPU memory +speed-up$/m);
      expect(stdout).toMatch(/^ {2}peak GPU memory +\d/m);
      expect(stdout).toMatch(/^ {2}arena of a session +\d/m);
    }, 120_000);

    it.skipIf(!hasWebGpu)(
      'has it of a GPU device without being asked to sample (skipped where WebGPU is not there)',
      async () => {
        const fake = useFakeNvml();
        // WebGPU computes through Vulkan, which drivers list among what draws.
        const program = bench(['--device', 'webgpu', '--json']);
        const finished = await listingWorkers(program, fake, () => [`gpu1 graphics0 ${3 * GIB}`]);
        const [result] = JSON.parse(finished.stdout) as readonly BenchResult[];
        expect(result).toMatchObject({ peakGpuMemoryBytes: 3 * GIB, arenaBytes: null, sampling: null });
      },
      180_000,
    );

    it('does not have it where nobody samples, or the host has no GPU', async () => {
      const fake = useFakeNvml();
      const unsampled = bench(['--json']);
      const finished = await listingWorkers(unsampled, fake, () => [`gpu0 process0 ${GIB}`]);
      expect(JSON.parse(finished.stdout)).toMatchObject([{ peakGpuMemoryBytes: null }]);

      vi.stubEnv('PTQ_AGENT_GPU_BACKEND', 'none');
      const { stdout } = await bench(['--sampling', '10hz']).finished;
      expect(stdout).not.toContain('GPU memory');
      const { stdout: json } = await bench(['--sampling', '10hz', '--json']).finished;
      expect(JSON.parse(json)).toMatchObject([
        { peakGpuMemoryBytes: null, sampling: { intervalSeconds: 0.1 } },
      ]);
    }, 120_000);
  },
);

function useFakeNvml(): FakeNvml {
  const fake = installFakeNvml(compileFakeNvml(temporaryFolder()), TWO_GPUS);
  vi.stubEnv('PTQ_AGENT_NVML', fake.library);
  vi.stubEnv('PTQ_AGENT_GPU_BACKEND', 'nvml');
  return fake;
}

function bench(options: readonly string[]): Program {
  const limits = ['--duration', '500ms', '--min-queries', '20', '--grace', '60s', '-q'];
  return startProgram(['bench', DIGITS_MODEL, '--data', DIGITS_DATA, ...limits, ...options]);
}

/**
 * Lists every worker that the program starts, from its start on, until the program ends.
 * @param linesOf the GPU, the place in its list, and the bytes, of the n-th worker
 */
async function listingWorkers(program: Program, fake: FakeNvml, linesOf: (index: number) => string[]) {
  const workers: number[] = [];
  const timer = setInterval(() => {
    const fresh = childrenOf(program.pid).filter((pid) => !workers.includes(pid) && isWorker(pid));
    if (fresh.length === 0) return;
    workers.push(...fresh);
    const lines = workers.flatMap((pid, index) =>
      linesOf(index).map((line) => {
        const [gpu, list, bytes] = line.split(' ');
        // Each worker has its place in the list.
        return `${gpu} ${list?.replace('0', `${index}`)} ${pid} ${bytes} 0xffffffff 0xffffffff`;
      }),
    );
    fake.answer(`${TWO_GPUS}${lines.join('\n')}\n`);
  }, 20);
  try {
    return await program.finished;
  } finally {
    clearInterval(timer);
  }
}

function childrenOf(pid: number): readonly number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return text.trim().split(/\s+/).filter(Boolean).map(Number);
}

function isWorker(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('worker-main');
  } catch {
    // It has ended meanwhile.
    return false;
  }
}
