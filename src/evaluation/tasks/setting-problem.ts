import { problem } from '../../core/problem.ts';
import type { TaskProblem } from '../task.ts';

/** One setting of a task, and whether its value makes sense. */
export interface SettingCheck {
  readonly name: string;
  readonly value: number;
  /** Completes "the setting must be …". */
  readonly must: string;
  readonly holds: boolean;
}

/** The first setting that makes no sense, as the problem that the task then answers with; undefined if all do. */
export function settingProblem(checks: readonly SettingCheck[]): TaskProblem | undefined {
  const failed = checks.find(({ holds }) => !holds);
  if (failed === undefined) return undefined;
  const { name, value, must } = failed;
  return problem('task-settings-invalid', `the task's setting '${name}' is ${value}`, {
    hint: `'${name}' must be ${must}`,
  });
}
