import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runExplanation } from '../../../../src/jobs/explain/run-explanation.ts';
import { fakeWorker } from '../../../support/fake-worker.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

describe('runExplanation', () => {
  it.each([
    ['is through', 'int8', true],
    ['is refused', 'refuse', false],
    ['takes its worker down', 'killed', false],
  ])('leaves no working files where it %s', async (_what, name, isOk) => {
    const folder = temporaryFolder();
    const seen: (readonly string[])[] = [];
    const explained = await runExplanation(
      { entry: fakeWorker().entry, onSpawn: () => void seen.push(readdirSync(folder)) },
      {
        referencePath: '/models/fp32.onnx',
        candidatePath: `/models/${name}.onnx`,
        data: { spec: { path: '/data.npz' }, split: 'eval' },
        samples: 4,
        task: { name: 'classification', settings: {} },
        taskIsNamed: true,
        threads: 1,
      },
      {},
      folder,
    );
    expect(explained.ok).toBe(isOk);
    expect(seen).toEqual([[expect.stringMatching(/^ptq-agent-/)]]);
    expect(readdirSync(folder)).toEqual([]);
  });
});
