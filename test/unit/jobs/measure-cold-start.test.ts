import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { attemptAsync } from '../../../src/core/problem.ts';
import type { ColdStartTask } from '../../../src/jobs/cold-start-task.ts';
import { measureColdStart } from '../../../src/jobs/measure-cold-start.ts';
import { writeClassifier, writeSamples } from '../../support/evaluated-models.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

function taskOf(more: Partial<ColdStartTask> = {}): ColdStartTask {
  const folder = temporaryFolder();
  const weights = [
    [1, 0],
    [0, 1],
  ] as const;
  const samples = [
    [1, 2],
    [3, 4],
  ];
  return {
    kind: 'cold-start',
    modelPath: writeClassifier(folder, 'model.onnx', weights),
    data: { spec: { path: writeSamples(folder, 'data.npz', samples) }, split: 'eval' },
    device: 'cpu',
    threads: 1,
    windowDurationNs: 1e6,
    maxDurationNs: 1e8,
    ...more,
  };
}

const measure = (task: ColdStartTask) => attemptAsync(() => measureColdStart(task, { clock: systemClock }));

describe('measureColdStart', () => {
  it('tells how long each part took, within the time that all of it did', async () => {
    const beforeNs = systemClock.nowNs();
    const answer = await measureColdStart(taskOf(), { clock: systemClock });
    const seconds = Number(systemClock.nowNs() - beforeNs) / 1e9;
    const { runtimeSeconds, modelSeconds, feedsSeconds, firstInferenceSeconds, secondsToSteady } = answer;
    const parts = [runtimeSeconds, modelSeconds, feedsSeconds, firstInferenceSeconds];
    for (const part of parts) expect(part).toBeGreaterThan(0);
    expect(parts.reduce((sum, part) => sum + part, 0)).toBeLessThan(seconds);
    expect(secondsToSteady).toBeLessThan(seconds);
    expect(answer.takenNs).toBeGreaterThanOrEqual(beforeNs);
    expect(answer.firstInferencesSeconds).toEqual([firstInferenceSeconds]);
    expect(answer.steadyMedianSeconds).toBeGreaterThan(0);
    expect(answer.diskReadBytes).toBeGreaterThanOrEqual(0);
    expect(answer.peakRssBytes).toBeGreaterThan(2 ** 20);
  });

  it('says what is wrong with a model or its data', async () => {
    expect(await measure(taskOf({ modelPath: '/none.onnx' }))).toMatchObject({
      error: { kind: 'model-not-found' },
    });
    const data = { spec: { path: '/none.npz' }, split: 'eval' };
    expect(await measure(taskOf({ data }))).toMatchObject({
      ok: false,
      error: { place: { file: '/none.npz' } },
    });
  });
});
