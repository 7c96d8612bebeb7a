import { Counter } from 'prom-client';
import { gaugeFamily, type MetricRegistry } from './families.ts';

/** What a data directory takes, and whether that is too much. */
export interface StorageState {
  /** Bytes by what they are of. */
  readonly bytes: Readonly<Record<string, number>>;
  readonly quotaBytes: number;
  readonly freeBytes: number;
  readonly minFreeBytes: number;
  /** Whether runs wait for room. */
  readonly isShort: boolean;
}

export interface StorageMetrics {
  setStorage(state: StorageState): void;
  /** @param kind of a fixed set, as is the reason */
  countRemoved(kind: string, reason: string, sizeBytes: number): void;
  countRemovalFailures(count: number): void;
}

/** Registers the metrics of the data directory. */
export function createStorageMetrics(registry: MetricRegistry): StorageMetrics {
  const bytes = gaugeFamily({
    registry,
    name: 'ptq_storage_bytes',
    help: 'What the data directory takes, by what it is of, as of the last look: after every run and once an hour.',
    labelNames: ['kind'],
  });
  const single = (name: string, help: string) => gaugeFamily({ registry, name, help, labelNames: [] });
  const quota = single('ptq_storage_quota_bytes', 'What the data directory may take (storage.maxBytes).');
  const free = single(
    'ptq_storage_free_bytes',
    'What was free on the disk of the data directory at the last look.',
  );
  const minFree = single(
    'ptq_storage_min_free_bytes',
    'What is to stay free on the disk of the data directory (storage.minFreeBytes, or what it is without).',
  );
  const short = single(
    'ptq_storage_short',
    '1 while runs wait and orders are refused because the quota is used up or the disk is nearly full, else 0.',
  );
  const removedBytes = new Counter({
    registers: [registry],
    name: 'ptq_storage_removed_bytes_total',
    help: 'Bytes that were removed from the data directory because nothing used them, by what they were of and the limit that they were beyond.',
    labelNames: ['kind', 'reason'],
  });
  const removed = new Counter({
    registers: [registry],
    name: 'ptq_storage_removed_total',
    help: 'Things that were removed from the data directory because nothing used them, by what they were and the limit that they were beyond.',
    labelNames: ['kind', 'reason'],
  });
  const failures = new Counter({
    registers: [registry],
    name: 'ptq_storage_removal_failures_total',
    help: 'Things that could not be removed from the data directory; the log says why.',
  });
  failures.inc(0);
  return {
    setStorage: (state) => {
      bytes.replaceAll(Object.entries(state.bytes).map(([kind, value]) => ({ labels: { kind }, value })));
      quota.set({}, state.quotaBytes);
      free.set({}, state.freeBytes);
      minFree.set({}, state.minFreeBytes);
      short.set({}, state.isShort ? 1 : 0);
    },
    countRemoved: (kind, reason, sizeBytes) => {
      removed.inc({ kind, reason });
      removedBytes.inc({ kind, reason }, sizeBytes);
    },
    countRemovalFailures: (count) => failures.inc(count),
  };
}
