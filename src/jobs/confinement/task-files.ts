import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DataSpec } from '../../core/data-spec.ts';
import type { Device } from '../../core/device.ts';
import type { TaskSettings } from '../../evaluation/tasks/create-task.ts';
import type { TaskData } from '../task-data.ts';
import type { WorkerTask } from '../worker-protocol.ts';

/** What a task needs of the file system, and the device that it computes on. */
export interface TaskFiles {
  readonly readable: readonly string[];
  /** Folders. */
  readonly writable: readonly string[];
  readonly device: Device;
}

/**
 * The files that a task is about. Undefined for a task that reads the host and no file of a user: it starts programs of the system
 * and asks drivers, whatever they need.
 */
export function filesOfTask(task: WorkerTask): TaskFiles | undefined {
  switch (task.kind) {
    case 'doctor':
    case 'inventory':
    case 'gpu-examination':
      return undefined;
    case 'confinement-trial':
      return onCpu([]);
    case 'device-trial':
    case 'peaks':
      return { readable: [], writable: [], device: task.device };
    case 'digest':
      return onCpu([...modelFiles(task.modelPath), ...dataFiles(task.data)]);
    case 'divide-samples':
      return onCpu([...modelFiles(task.modelPath), ...taskDataFiles(task.data)]);
    case 'inspect':
      return onCpu(modelFiles(task.modelPath));
    case 'timeline':
    case 'series':
      return onCpu([task.file]);
    case 'trace': {
      const { output, timeline } = task;
      const written = output.kind === 'publish' ? output.logdir : dirname(output.file);
      return onCpu(timeline === undefined ? [] : [timeline], [task.folder, written]);
    }
    case 'cold-start':
    case 'profile-operators':
    case 'sut':
      return {
        readable: [...modelFiles(task.modelPath), ...taskDataFiles(task.data)],
        writable: [],
        device: task.device,
      };
    case 'quantize': {
      const { modelPath, data, outputPath, saveRangesPath, rangesCache, trace } = task;
      const ranges = saveRangesPath === undefined ? [] : [dirname(saveRangesPath)];
      return onCpu(
        [...modelFiles(modelPath), ...(data === undefined ? [] : taskDataFiles(data))],
        [dirname(outputPath), ...ranges, ...folders(rangesCache, trace)],
      );
    }
    case 'explain': {
      const { referencePath, candidatePath, data, task: measured, scratch } = task;
      const models = [referencePath, candidatePath].flatMap(modelFiles);
      return onCpu([...models, ...taskDataFiles(data), ...taskSettingsFiles(measured)], [scratch]);
    }
    case 'evaluate': {
      const { reference, candidates, data, task: measured, outputsCache, golden, trace } = task;
      const changedItems = candidates.flatMap(({ changedItems: file }) =>
        file === undefined ? [] : [dirname(file)],
      );
      return onCpu(
        [
          ...[reference, ...candidates].flatMap(({ path }) => modelFiles(path)),
          ...taskDataFiles(data),
          ...taskSettingsFiles(measured),
        ],
        [...changedItems, ...folders(outputsCache, golden, trace)],
      );
    }
  }
}

function onCpu(readable: readonly string[], writable: readonly string[] = []): TaskFiles {
  return { readable, writable, device: 'cpu' };
}

function folders(...of: readonly ({ readonly folder: string } | undefined)[]): readonly string[] {
  return of.flatMap((given) => (given === undefined ? [] : [given.folder]));
}

/** A model's data files lie in its folder, or beside what its own name leads to where that is a link (see `resolveExternalData`). */
function modelFiles(path: string): readonly string[] {
  return [dirname(path), dirname(realPathOr(path))];
}

function realPathOr(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // Whoever opens it says what is wrong with it.
    return path;
  }
}

function taskDataFiles({ spec }: TaskData): readonly string[] {
  return dataFiles(spec);
}

function taskSettingsFiles({ module, settings: { vocabulary } }: TaskSettings): readonly string[] {
  return [
    ...(module === undefined ? [] : moduleFiles(module)),
    ...(typeof vocabulary === 'string' ? [vocabulary] : []),
  ];
}

function dataFiles({ path, labels, module, preprocess, inputs = {} }: DataSpec): readonly string[] {
  // A tokenizer's settings lie beside it.
  const tokenizers = [preprocess, ...Object.values(inputs)].flatMap((input) =>
    input?.tokenize === undefined ? [] : [dirname(input.tokenize.tokenizer)],
  );
  const named = [path === '' ? undefined : path, labels?.file, labels?.masks].filter(
    (file) => file !== undefined,
  );
  return [...named, ...tokenizers, ...(module === undefined ? [] : moduleFiles(module))];
}

/** The folder of a user's own module, and where Node.js looks for the packages that it imports. */
function moduleFiles(file: string): readonly string[] {
  const folder = dirname(realPathOr(file));
  const above: string[] = [];
  for (let at = folder; at !== dirname(at); at = dirname(at)) above.push(at);
  return [
    dirname(file),
    folder,
    ...above.flatMap((at) => [join(at, 'node_modules'), join(at, 'package.json')]),
  ];
}
