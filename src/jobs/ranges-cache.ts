import { join } from 'node:path';
import { digestText } from '../core/digest.ts';
import type { GraphView } from '../quantization/graph-view.ts';
import type { CalibrationSettings } from '../quantization/recipe.ts';
import { onnxRuntimeVersion } from '../runtime/versions.ts';
import { agentVersion } from './agent-version.ts';
import type { InputDigests } from './digest-inputs.ts';
import type { QuantizeTask } from './quantize-task.ts';
import type { SavedRanges } from './saved-ranges.ts';
import { partOf, type TaskData } from './task-data.ts';

/** All that decides what a calibration finds, besides the graph. */
export interface CalibrationOrigin {
  readonly settings: CalibrationSettings;
  readonly task: QuantizeTask;
  readonly data: TaskData;
  readonly digests: InputDigests;
}

/** What earlier calibrations of the same origin found. */
export interface RangesCache {
  /** Undefined where there is nothing; a file that cannot be used is as good as none. */
  read(): Promise<SavedRanges | undefined>;
  write(ranges: SavedRanges): Promise<void>;
}

/**
 * The ranges kept in `<folder>/<key>.json`. The key is a digest of the bytes of model and data, the prepared graph, the
 * settings, the states and the versions of this program and the runtime. Which tensors are quantized is no part of it,
 * so that the variants of a model share a calibration. Without a folder nothing is kept.
 */
export function openRangesCache(
  folder: string | undefined,
  view: GraphView,
  origin: CalibrationOrigin,
): RangesCache {
  if (folder === undefined) return { read: async () => undefined, write: async () => {} };
  const path = join(folder, `${keyOf(view, origin)}.json`);
  // Both are loaded when needed, as they bring a schema library.
  return {
    read: async () => {
      const { loadRanges } = await import('./load-ranges.ts');
      const loaded = await loadRanges(path);
      return loaded.ok ? loaded.value : undefined;
    },
    write: async (ranges) => {
      const { writeRanges } = await import('./write-ranges.ts');
      await writeRanges(path, ranges);
    },
  };
}

function keyOf({ graph }: GraphView, { settings, task, data, digests }: CalibrationOrigin): string {
  const key = [
    [digests.modelDigest, digests.dataDigest, data.split, ...partOf(data)],
    Object.entries(settings).sort(),
    (task.states ?? []).map(({ output, input, dims = null }) => [output, input, dims]),
    [agentVersion(), onnxRuntimeVersion()],
    graph.node.map(({ opType, input, output }) => [opType, input, output]),
  ];
  return digestText(JSON.stringify(key));
}
