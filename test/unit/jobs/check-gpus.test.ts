import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { err, ok } from '../../../src/core/result.ts';
import { checkGpus } from '../../../src/jobs/check-gpus.ts';
import { examineGpus } from '../../../src/jobs/gpu-examination.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { fixtureHost } from '../telemetry/host-tree.ts';

function workerThat(behaves: string) {
  const file = join(temporaryFolder(), 'worker.mjs');
  writeFileSync(
    file,
    `process.on('disconnect', () => process.exit(0));\nprocess.on('message', ({ kind }) => { ${behaves} });\n`,
  );
  return { entry: pathToFileURL(file) };
}

describe('the check of GPUs', () => {
  it('gives what was read in a process of its own', async () => {
    const answers =
      "process.send({ kind: 'done', value: { ok: true, value: { backend: 'nvml', asked: kind, gpus: [] } } });";
    expect(await checkGpus(workerThat(answers))).toEqual(
      ok({ backend: 'nvml', asked: 'gpu-examination', gpus: [] }),
    );
  });

  it.each([
    ['hangs', 'for (;;);', /took more than 0.5 s, so their driver hangs/],
    ['aborts', 'process.abort();', /ended the process that read them/],
  ])('outlives a driver that %s', async (_how, behaves, message) =>
    expect(await checkGpus(workerThat(behaves), { timeoutMs: 500 })).toEqual(
      err({
        kind: 'unreadable',
        message: expect.stringMatching(message),
        hint: expect.stringContaining('dmesg'),
      }),
    ),
  );

  it('can be cancelled', async () =>
    expect(await checkGpus(workerThat('for (;;);'), { signal: AbortSignal.timeout(200) })).toMatchObject({
      error: { kind: 'cancelled' },
    }));
});

describe('the examination of GPUs', () => {
  it('waits for a backend that is starting', async () => {
    let asked = 0;
    const collect = () => {
      asked += 1;
      return asked < 3
        ? err({ kind: 'unreadable', message: 'it starts', isStarting: true } as const)
        : ok({ backend: 'nvidia-smi', gpus: [] } as const);
    };
    const request = { kind: 'gpu-examination' } as const;
    expect(await examineGpus(request, collect, fixtureHost)).toEqual(ok({ backend: 'nvidia-smi', gpus: [] }));
    expect(asked).toBe(3);
  });

  it('gives the problem where there is none to wait for', async () => {
    const absent = err({ kind: 'absent', message: 'no GPU' } as const);
    expect(await examineGpus({ kind: 'gpu-examination' }, () => absent, fixtureHost)).toEqual(absent);
  });
});
