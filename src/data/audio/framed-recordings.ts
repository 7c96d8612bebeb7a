import { join } from 'node:path';
import type { AudioSpec } from '../../core/data-spec.ts';
import type { Truth } from '../../core/item.ts';
import { ProblemError, problem } from '../../core/problem.ts';
import { elementCount } from '../../core/tensor.ts';
import type { ItemCollection } from '../item-collection.ts';
import { AUDIO_FIELD, type AudioLabels, audioItem, readItem } from './audio-item.ts';
import type { RecordingList } from './list-recordings.ts';
import { reuseLastKey } from './recording-content-key.ts';
import type { RecordingReader } from './recording-reader.ts';

/** Frame k holds the samples from k · hop up to k · hop + length, behind `context` earlier ones. */
export interface FramePlan extends NonNullable<AudioSpec['frame']> {
  /** Samples that a recording is cut or filled to before it is divided. */
  readonly total: number | undefined;
}

/**
 * The frames of many recordings as items; see `openWavFolder`. Reads the header of every file, so that their number is
 * known. Rejects with a `ProblemError`.
 */
export async function openFramedRecordings(
  path: string,
  { folder, ids, unused }: RecordingList,
  plan: FramePlan,
  labels: AudioLabels | undefined,
  reader: RecordingReader,
): Promise<ItemCollection> {
  const { length, hop = length, context = 0 } = plan;
  const recordings: FramedRecording[] = [];
  const tooShort: string[] = [];
  let count = 0;
  for (const id of ids) {
    const file = join(folder, id);
    const samples = await reader.length(file);
    const frames = countFrames(plan, plan.total ?? samples);
    const label = labels?.truthOf(id);
    const truthOf = frameTruth(label?.truth, frames, id, path);
    if (frames === 0) tooShort.push(`${id} (shorter than one frame)`);
    else recordings.push({ id, file, group: label?.group ?? id, truthOf, firstItem: count });
    count += frames;
  }
  if (count === 0) {
    const message = `no recording is as long as one frame of ${length} samples`;
    const hint = 'make the frames shorter, or check the sample rate of the files';
    throw new ProblemError(problem('no-samples', message, { place: { file: path }, hint }));
  }
  const contentKey = reuseLastKey();
  const locate = (index: number): { readonly recording: FramedRecording; readonly frame: number } => {
    if (!(Number.isInteger(index) && index >= 0 && index < count)) {
      throw new RangeError(`item ${index} of ${count}`);
    }
    const recording = lastStartingBy(recordings, index);
    return { recording, frame: index - recording.firstItem };
  };
  return {
    path,
    count,
    fields: [{ kind: 'tensor', name: AUDIO_FIELD, type: 'float32', dims: [context + length] }],
    unused: [...unused, ...tooShort],
    describe: (index) => {
      const { recording, frame } = locate(index);
      return { id: `${recording.id}#${frame}`, group: recording.group, sequence: recording.id };
    },
    contentKey: (index) => contentKey(locate(index).recording.file, index),
    read: (index) => {
      const { recording, frame } = locate(index);
      const start = frame * hop;
      const range = { start: start - context, end: start + length };
      return readItem(index, async () =>
        audioItem(await reader.readPart(recording.file, range), recording.truthOf(frame)),
      );
    },
    close: () => reader.close(),
  };
}

interface FramedRecording {
  readonly id: string;
  readonly file: string;
  readonly group: string;
  readonly truthOf: (frame: number) => Truth | undefined;
  /** Position of its first frame among the items. */
  readonly firstItem: number;
}

/** The last recording whose first item is not behind `index`. */
function lastStartingBy(recordings: readonly FramedRecording[], index: number): FramedRecording {
  let low = 0;
  let high = recordings.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((recordings[middle] as FramedRecording).firstItem <= index) low = middle;
    else high = middle;
  }
  return recordings[low] as FramedRecording;
}

/** Whole frames among so many samples. */
function countFrames({ length, hop = length }: FramePlan, samples: number): number {
  return samples < length ? 0 : Math.floor((samples - length) / hop) + 1;
}

/**
 * What is right for each frame of a recording. A truth of numbers has a row for each frame; any other is that of all.
 * Throws a `ProblemError` of `labels-invalid` where there are more or fewer rows than frames.
 */
function frameTruth(
  truth: Truth | undefined,
  frames: number,
  id: string,
  path: string,
): (frame: number) => Truth | undefined {
  if (truth?.kind !== 'tensor') return () => truth;
  const [rows, ...dims] = truth.dims;
  if (rows !== frames) {
    const has = rows === undefined ? 'is a single number' : `has ${rows} rows`;
    throw new ProblemError(
      problem('labels-invalid', `the label of '${id}' ${has}, but the recording has ${frames} frames`, {
        place: { file: path },
        hint: 'give one value for each whole frame, or a class for the whole recording',
      }),
    );
  }
  const size = elementCount(dims);
  return (frame) => ({
    kind: 'tensor',
    dims,
    values: Array.prototype.slice.call(truth.values, frame * size, (frame + 1) * size),
  });
}
