import { ok, type Result } from '../../core/result.ts';
import type { Task, TaskProblem } from '../task.ts';
import type { DetectionSettings } from './detection/settings.ts';
import type { TokenClassificationSettings } from './text/token-classification-task.ts';
import type { TranscriptionSettings } from './text/transcription-task.ts';

/** A task by its name, with settings that its own module describes and checks. Plain data. */
export interface TaskSettings {
  readonly name: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Of the task `own`. */
  readonly module?: string;
}

/**
 * The task of that name, reading outputs by those settings; undefined for `fidelity`, which reads none.
 * @param outputs the model's outputs that hold numbers, in the model's order
 */
export async function createTask(
  { name, settings }: TaskSettings,
  outputs: readonly string[],
): Promise<Result<Task<unknown> | undefined, TaskProblem>> {
  // What the settings may be, the schema of profiles has checked; what they must be, each task checks itself.
  const all = { ...settings, outputs };
  switch (name) {
    case 'fidelity':
      return ok(undefined);
    case 'classification':
      return ok(asTask((await import('./classification-task.ts')).createClassificationTask(all)));
    case 'multi-label':
      return ok(asTask((await import('./multi-label-task.ts')).createMultiLabelTask(all)));
    case 'regression':
      return ok(asTask((await import('./regression-task.ts')).createRegressionTask(all)));
    case 'embedding':
      return ok(asTask((await import('./embedding-task.ts')).createEmbeddingTask(all)));
    case 'segmentation':
      return ok(asTask((await import('./segmentation-task.ts')).createSegmentationTask(all)));
    case 'binary-over-time':
      return ok(asTask((await import('./binary-over-time-task.ts')).createBinaryOverTimeTask(all)));
    case 'detection': {
      const { createDetectionTask } = await import('./detection/detection-task.ts');
      const task = createDetectionTask(
        all as unknown as DetectionSettings & { readonly outputs: readonly string[] },
      );
      return task.ok ? ok(asTask(task.value)) : task;
    }
    case 'token-classification': {
      const { createTokenClassificationTask } = await import('./text/token-classification-task.ts');
      return ok(asTask(createTokenClassificationTask(all as unknown as TokenClassificationSettings)));
    }
    case 'span-answer':
      return ok(asTask((await import('./text/span-answer-task.ts')).createSpanAnswerTask(settings)));
    case 'transcription': {
      const { createTranscriptionTask } = await import('./text/transcription-task.ts');
      return ok(asTask(createTranscriptionTask(all as unknown as TranscriptionSettings)));
    }
    default:
      throw new Error(`there is no task '${name}'`);
  }
}

/** Whoever has a task hands back only answers that it gave, so that their type need not be known. */
function asTask<Answer>(task: Task<Answer>): Task<unknown> {
  return task as unknown as Task<unknown>;
}
