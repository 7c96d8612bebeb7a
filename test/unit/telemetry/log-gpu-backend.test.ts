import { expect, it } from 'vitest';
import { silentLogger } from '../../../src/core/log.ts';
import { logGpuBackend } from '../../../src/telemetry/log-gpu-backend.ts';
import type { Snapshot } from '../../../src/telemetry/snapshot.ts';

it('says once by what GPUs are read, and what keeps them from being read, and nothing of a host without', () => {
  const lines: string[] = [];
  const log = logGpuBackend({
    ...silentLogger,
    info: (message) => lines.push(message),
    warn: (message) => lines.push(message),
  });
  const reading = { backend: 'nvml', gpus: [] } as const;
  const failed = (kind: 'absent' | 'unreadable', message: string, more = {}) =>
    ({
      health: { gpus: { status: 'failed', durationSeconds: 0, problem: { kind, message, ...more } } },
    }) as unknown as Snapshot;
  const works = (more = {}) =>
    ({
      gpus: { ...reading, ...more },
      health: { gpus: { status: 'ok', durationSeconds: 0 } },
    }) as unknown as Snapshot;

  log({ health: {} } as unknown as Snapshot);
  log(failed('absent', 'no GPU'));
  log(failed('unreadable', 'it starts', { isStarting: true }));
  expect(lines).toEqual([]);
  log(works({ notUsed: [] }));
  log(works());
  log(failed('unreadable', 'it is broken', { hint: 'mend it' }));
  log(failed('unreadable', 'it is broken'));
  log(works({ notUsed: [] }));
  log(failed('unreadable', 'it is broken'));
  expect(lines).toEqual(['0 GPU(s) read by nvml', 'it is broken', '0 GPU(s) read by nvml', 'it is broken']);
});
