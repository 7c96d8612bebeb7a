import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Sampler, startSampler } from '../../src/telemetry/sampler.ts';
import type { Snapshot } from '../../src/telemetry/snapshot.ts';
import { compileFakeNvml, installFakeNvml, NO_COMPILER } from '../support/fake-nvml/build-fake-nvml.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const entry = new URL('../../dist/telemetry/sampler-main.js', import.meta.url);

const unmet =
  NO_COMPILER ?? (existsSync(entry) ? undefined : 'needs dist/telemetry/sampler-main.js: npm run build');

const WORKS = 'count 1\ngpu0 uuid GPU-1\ngpu0 name A\ngpu0 utilization 50 10\n';
const WAIT = { timeout: 20_000, interval: 20 };

describe.skipIf(unmet !== undefined)(
  `GPUs in a sampler process${unmet === undefined ? '' : `: ${unmet}`}`,
  () => {
    afterEach(() => {
      vi.unstubAllEnvs();
    });

    it('that hangs in the driver is replaced alone, and named, and comes back', async () => {
      const { sampler, fake } = start();
      await vi.waitFor(() => expect(sampler.latest()?.gpus?.gpus[0]?.utilizationRatio).toBe(0.5), WAIT);

      fake.answer(`${WORKS}hang nvmlDeviceGetUtilizationRates\n`);
      await vi.waitFor(() => expect(sampler.latest()?.health.gpus?.status).toBe('down'), WAIT);
      expect(sampler.latest()).not.toHaveProperty('gpus');
      const before = await nextOf(sampler, 'host');
      expect((await nextOf(sampler, 'host')).sampler).toMatchObject({ pid: before.sampler.pid });

      fake.answer(WORKS);
      await vi.waitFor(() => expect(sampler.latest()?.gpus?.gpus[0]?.utilizationRatio).toBe(0.5), WAIT);
    });

    it('that loses its GPU shows it as lost, and no values of it', async () => {
      const { sampler, fake } = start();
      await vi.waitFor(() => expect(sampler.latest()?.gpus?.gpus[0]?.state).toBe('ok'), WAIT);
      fake.answer(`${WORKS}gpu0 code * 15\n`);
      await vi.waitFor(
        () =>
          expect(sampler.latest()?.gpus?.gpus).toEqual([
            { uuid: 'GPU-1', index: 0, name: 'A', state: 'lost' },
          ]),
        WAIT,
      );
    });

    function start() {
      const fake = installFakeNvml(compileFakeNvml(temporaryFolder()), WORKS);
      vi.stubEnv('PTQ_AGENT_NVML', fake.library);
      vi.stubEnv('PTQ_AGENT_GPU_BACKEND', 'nvml');
      const sampler = startSampler({
        entry,
        intervalMs: 100,
        limits: { silenceMs: 3_000, killAfterMs: 300, firstBackoffMs: 50, maxBackoffMs: 1_000 },
      });
      onTestFinished(() => sampler.stop());
      return { fake, sampler };
    }
  },
);

function nextOf(sampler: Sampler, source: Snapshot['source']): Promise<Snapshot> {
  return new Promise((resolve) => {
    const stop = sampler.onSnapshot((snapshot) => {
      if (snapshot.source !== source) return;
      stop();
      resolve(snapshot);
    });
  });
}
