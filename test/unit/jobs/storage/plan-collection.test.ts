import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STORAGE_DEFAULTS, type StorageSettings } from '../../../../src/config/storage-settings.ts';
import {
  type Holdings,
  planCollection,
  type Removal,
  totalBytes,
  usageOf,
} from '../../../../src/jobs/storage/plan-collection.ts';
import type { EndedRun } from '../../../../src/store/housekeeping.ts';
import type { StoredFiles, StoredItem } from '../../../../src/store/stored-files.ts';

const DAY_MS = 86_400_000;
const NOW_MS = 1_000 * DAY_MS;

const NO_FILES: StoredFiles = {
  artifacts: [],
  caches: { outputs: [], golden: [], calibration: [], peaks: [], searches: [] },
  runFiles: [],
  recordBytes: 0,
  traceBytes: 0,
  databaseBytes: 0,
  temporaryBytes: 0,
  leftovers: [],
};

function holding(more: Partial<StoredFiles>, others: Partial<Holdings> = {}): Holdings {
  return {
    files: { ...NO_FILES, ...more },
    endedRuns: [],
    artifactsInUse: new Set(),
    goldenInUse: new Set(),
    freeBytes: 2 ** 40,
    isBusy: false,
    nowMs: NOW_MS,
    ...others,
  };
}

const item = (name: string, daysOld: number, sizeBytes = 100): StoredItem => ({
  name,
  sizeBytes,
  usedMs: NOW_MS - daysOld * DAY_MS,
});

const endedRun = (id: string, daysOld: number, more: Partial<EndedRun> = {}): EndedRun => ({
  id,
  model: 'digits',
  kind: 'pipeline',
  state: 'succeeded',
  finishedMs: NOW_MS - daysOld * DAY_MS,
  hasStarted: true,
  ...more,
});

const plan = (holdings: Holdings, settings: Partial<StorageSettings> = {}): readonly string[] =>
  planCollection(holdings, { ...STORAGE_DEFAULTS, minFreeBytes: 0, ...settings }).map(
    ({ kind, name, reason }) => `${kind} ${name} ${reason}`,
  );

describe('planCollection', () => {
  it('removes artifacts that nothing uses once they were not used for long', () => {
    const artifacts = [item('used', 300), item('old', 31), item('young', 29)];
    expect(plan(holding({ artifacts }, { artifactsInUse: new Set(['used']) }))).toEqual([
      'artifacts old age',
    ]);
  });

  it('keeps the answers that models are held to, however old they are', () => {
    const caches = { ...NO_FILES.caches, golden: [item('pinned', 900), item('old', 500)] };
    expect(plan(holding({ caches }, { goldenInUse: new Set(['pinned']) }))).toEqual(['golden old age']);
  });

  it('goes by count and bytes too, and keeps what was used last', () => {
    const artifacts = [item('a', 1), item('b', 3), item('c', 2)];
    expect(plan(holding({ artifacts }), { artifacts: { maxCount: 2 } })).toEqual(['artifacts b count']);
    expect(plan(holding({ artifacts }), { artifacts: { maxBytes: 150 } })).toEqual([
      'artifacts c bytes',
      'artifacts b bytes',
    ]);
  });

  it('believes no age where the clock was set, nor what was used in the future', () => {
    const artifacts = [item('old', 300)];
    expect(plan(holding({ artifacts }, { nowMs: undefined }))).toEqual([]);
    expect(plan(holding({ artifacts: [item('future', -300)] }))).toEqual([]);
  });

  it('makes room for the quota, with what costs least to make again', () => {
    const files = {
      artifacts: [item('used', 9), item('unused', 8)],
      caches: {
        outputs: [item('o1', 2), item('o2', 3)],
        golden: [item('g', 20)],
        calibration: [item('c', 1)],
        peaks: [item('p', 20)],
        searches: [item('s', 20)],
      },
      runFiles: [item('R', 5)],
      databaseBytes: 100,
    };
    const artifactsInUse = new Set(['used']);
    const within = (maxBytes: number) => plan(holding(files, { artifactsInUse }), { maxBytes });
    expect(within(1000)).toEqual([]);
    expect(within(999)).toEqual(['outputs o2 quota']);
    expect(within(700)).toEqual(['outputs o2 quota', 'outputs o1 quota', 'calibration c quota']);
    expect(within(1)).toEqual([
      'outputs o2 quota',
      'outputs o1 quota',
      'calibration c quota',
      'artifacts unused quota',
      'searches s quota',
      'run_files R quota',
    ]);
  });

  it('makes room on a disk that others fill', () => {
    const artifacts = [item('unused', 8), item('later', 2)];
    expect(plan(holding({ artifacts }, { freeBytes: 950 }), { minFreeBytes: 1000 })).toEqual([
      'artifacts unused quota',
    ]);
  });

  it('keeps of every model and kind the runs that its next ones go by', () => {
    const endedRuns = [
      endedRun('F', 500, { state: 'failed' }),
      endedRun('E', 501, { state: 'interrupted' }),
      endedRun('D', 502),
      endedRun('C', 503),
      endedRun('B', 504, { kind: 'bench' }),
      endedRun('A', 505, { model: 'other' }),
    ];
    expect(plan(holding({}, { endedRuns }))).toEqual(['runs C age']);
  });

  it('touches neither caches, leftovers nor the files of the run that is under way', () => {
    const files = {
      leftovers: ['/data/outputs/x.Ab12Cd'],
      caches: { ...NO_FILES.caches, outputs: [item('o', 300)] },
      runFiles: [item('RUNNING', 300), item('OVER', 300)],
    };
    const endedRuns = [endedRun('OVER', 300)];
    expect(plan(holding(files, { endedRuns, isBusy: true }))).toEqual(['run_files OVER age']);
    expect(plan(holding(files, { endedRuns }))).toEqual([
      'temporary /data/outputs/x.Ab12Cd leftover',
      'run_files RUNNING age',
      'run_files OVER age',
      'outputs o age',
    ]);
  });

  const items = fc.uniqueArray(
    fc.record({
      name: fc.string({ minLength: 1, maxLength: 3 }),
      sizeBytes: fc.nat(1000),
      usedMs: fc.integer({ min: NOW_MS - 600 * DAY_MS, max: NOW_MS + 10 * DAY_MS }),
    }),
    { selector: ({ name }) => name, maxLength: 12 },
  );

  it('never takes what is in use, plans nothing twice, and is done when it is done', () => {
    fc.assert(
      fc.property(
        items,
        items,
        items,
        fc.nat(8000),
        fc.array(fc.nat(11)),
        (artifacts, outputs, runFiles, maxBytes, used) => {
          const artifactsInUse = new Set(used.flatMap((index) => artifacts[index]?.name ?? []));
          const files = { artifacts, runFiles, caches: { ...NO_FILES.caches, outputs } };
          const holdings = holding(files, { artifactsInUse });
          const settings = { ...STORAGE_DEFAULTS, minFreeBytes: 0, maxBytes };
          const planned = planCollection(holdings, settings);
          const names = planned.map(({ kind, name }) => `${kind} ${name}`);
          expect(new Set(names).size).toBe(names.length);
          expect(
            planned.filter(({ kind, name }) => kind === 'artifacts' && artifactsInUse.has(name)),
          ).toEqual([]);
          const left = { ...holdings, files: without(holdings.files, planned) };
          expect(planCollection(left, settings)).toEqual([]);
          const inUseBytes = artifacts
            .filter(({ name }) => artifactsInUse.has(name))
            .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
          expect(totalBytes(usageOf(left.files))).toBeLessThanOrEqual(Math.max(maxBytes, inUseBytes));
        },
      ),
    );
  });
});

function without(files: StoredFiles, removals: readonly Removal[]): StoredFiles {
  const stays =
    (kind: string) =>
    ({ name }: StoredItem) =>
      !removals.some((removal) => removal.kind === kind && removal.name === name);
  return {
    ...files,
    artifacts: files.artifacts.filter(stays('artifacts')),
    runFiles: files.runFiles.filter(stays('run_files')),
    caches: { ...files.caches, outputs: files.caches.outputs.filter(stays('outputs')) },
  };
}
