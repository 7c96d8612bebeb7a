import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Problem } from '../../core/problem.ts';
import { ok, type Result } from '../../core/result.ts';
import { runTask, type WorkerControls, type WorkerHost } from '../worker-process.ts';
import type { ExplainTask } from './explain-task.ts';
import type { Explanation } from './explanation.ts';
import type { Movement } from './movement.ts';

/**
 * Explains in a worker of its own, whose working files are gone however it ends.
 * @param folder for working files; one that is cleared anew where this process may be killed
 */
export async function runExplanation(
  host: WorkerHost,
  task: Omit<ExplainTask, 'kind' | 'scratch'>,
  controls: WorkerControls = {},
  folder = tmpdir(),
): Promise<Result<Explanation | Movement, Problem>> {
  const scratch = await mkdtemp(join(folder, 'ptq-agent-'));
  try {
    const result = await runTask(host, { kind: 'explain', scratch, ...task }, controls);
    return result.ok ? ok(result.value as Explanation | Movement) : result;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
