import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { onTestFinished, vi } from 'vitest';
import type { ReadActivity } from '../../../src/telemetry/activity.ts';
import type { CollectorTable } from '../../../src/telemetry/collectors/all.ts';
import { startSampler } from '../../../src/telemetry/sampler.ts';
import { encodeSnapshots } from '../../../src/telemetry/sampler-messages.ts';
import type { Snapshot } from '../../../src/telemetry/snapshot.ts';
import type { SamplerLimits } from '../../../src/telemetry/source-sampler.ts';
import { memoryOf, ns, snapshotAt } from './snapshots.ts';

/** A process that does only what the test makes it do. */
export class FakeProcess extends EventEmitter {
  pid: number | undefined = 4711;
  connected = true;
  readonly snapshots = new PassThrough();
  readonly stdio = [null, null, null, null, this.snapshots] as const;
  readonly stderr = null;
  readonly sent: { readonly type: string }[] = [];
  readonly signals: string[] = [];
  send(message: { readonly type: string }): boolean {
    this.sent.push(message);
    return true;
  }
  kill(signal: string): boolean {
    this.signals.push(signal);
    return true;
  }
  ref(): void {}
  unref(): void {}
  tell(...snapshots: readonly Snapshot[]): void {
    this.snapshots.emit('data', encodeSnapshots(snapshots));
  }
  tick(seconds = 1): void {
    this.tell(snapshotAt(seconds, { memory: memoryOf(7) }));
  }
  end(code: number | null, signal: string | null = null): void {
    this.connected = false;
    this.emit('close', code, signal);
  }
}

const limits: SamplerLimits = {
  silenceMs: 5000,
  killAfterMs: 2000,
  firstBackoffMs: 500,
  maxBackoffMs: 30_000,
  hangsInRow: 3,
  firstLeaveOutMs: 60_000,
  maxLeaveOutMs: 100_000,
  restMs: 600_000,
};

export const nothing = () => () => ({ ok: true, value: undefined }) as const;
const hostOnly: CollectorTable = { memory: { source: 'host', create: nothing } };

/** A sampler on fake timers, whose processes are the test's. */
export function setUpSampler(
  startProcess?: () => FakeProcess,
  collectors = hostOnly,
  readActivity: ReadActivity = () => ({}),
) {
  vi.useFakeTimers();
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const processes: FakeProcess[] = [];
  const sampler = startSampler({
    entry: new URL('file:///sampler-main.js'),
    intervalMs: 100,
    limits,
    collectors,
    readActivity,
    clock: { nowNs: () => ns(1), wallMs: () => 0 },
    startProcess: () => {
      const started = startProcess?.() ?? new FakeProcess();
      processes.push(started);
      return started as unknown as ChildProcess;
    },
  });
  const newest = () => {
    const last = processes.at(-1);
    if (last === undefined) throw new Error('expected a process');
    return last;
  };
  return { sampler, processes, newest };
}
