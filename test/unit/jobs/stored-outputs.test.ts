import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { EvaluateTask } from '../../../src/jobs/evaluate-task.ts';
import { storedOutputPaths } from '../../../src/jobs/stored-outputs.ts';
import { evaluationIn } from '../../support/small-evaluation.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** What outputs are computed with. */
const host = vi.hoisted(() => ({ agent: '1', runtime: '1', processor: 'a' }));
vi.mock('../../../src/jobs/agent-version.ts', () => ({ agentVersion: () => host.agent }));
vi.mock('../../../src/runtime/versions.ts', () => ({ onnxRuntimeVersion: () => host.runtime }));
vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  cpus: () => [{ model: host.processor }],
}));

beforeEach(() => {
  Object.assign(host, { agent: '1', runtime: '1', processor: 'a' });
});

function taskIn(folder: string): EvaluateTask {
  return evaluationIn(folder, { outputsCache: { folder: '/cache' }, golden: { folder: '/golden' } });
}

describe('storedOutputPaths', () => {
  it('names a file for the reference and one for each candidate, in their folders', async () => {
    const paths = await storedOutputPaths(taskIn(temporaryFolder()));
    expect(paths.reference).toMatch(/^\/cache\/[0-9a-f]{64}\.outputs$/);
    expect(paths.golden).toEqual([expect.stringMatching(/^\/golden\/[0-9a-f]{64}\.outputs$/)]);
  });

  it('names none where nothing is kept', async () => {
    const task = evaluationIn(temporaryFolder());
    expect(await storedOutputPaths(task)).toEqual({ reference: undefined, golden: [undefined] });
  });

  it.each(['agent', 'runtime', 'processor'] as const)(
    'takes outputs of the reference for others with another %s, and golden ones for the same',
    async (part) => {
      const task = taskIn(temporaryFolder());
      const before = await storedOutputPaths(task);
      host[part] = 'other';
      const after = await storedOutputPaths(task);
      expect(after.reference).not.toBe(before.reference);
      expect(after.golden).toEqual(before.golden);
    },
  );

  it.each<[string, (task: EvaluateTask) => Partial<EvaluateTask>]>([
    ['split', ({ data }) => ({ data: { ...data, split: 'test' } })],
    ['limit', () => ({ samples: 2 })],
    ['part of the split', ({ data }) => ({ data: { ...data, only: [0, 1] } })],
    ['state', () => ({ states: [{ output: 'hn', input: 'h' }] })],
    [
      'preprocessing',
      ({ data }) => ({ data: { ...data, spec: { ...data.spec, preprocess: { scale: 2 } } } }),
    ],
  ])('takes outputs for others with another %s', async (_what, change) => {
    const task = taskIn(temporaryFolder());
    const before = await storedOutputPaths(task);
    const after = await storedOutputPaths({ ...task, ...change(task) });
    expect(after.reference).not.toBe(before.reference);
    expect(after.golden).not.toEqual(before.golden);
  });

  it('does not ask how outputs are judged, or by how many threads they are computed', async () => {
    const task = taskIn(temporaryFolder());
    const other: EvaluateTask = {
      ...task,
      task: { name: 'fidelity', settings: {} },
      budget: { metric: 'sqnr_db', atLeast: 1 },
      threads: 7,
    };
    expect(await storedOutputPaths(other)).toEqual(await storedOutputPaths(task));
  });
});
