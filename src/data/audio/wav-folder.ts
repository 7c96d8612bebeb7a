import { join } from 'node:path';
import type { AudioSpec } from '../../core/data-spec.ts';
import { attemptAsync, type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ItemCollection } from '../item-collection.ts';
import { quoteNames } from '../quote-names.ts';
import { AUDIO_FIELD, type AudioLabels, audioItem, readItem } from './audio-item.ts';
import { openFramedRecordings } from './framed-recordings.ts';
import { listRecordings, type RecordingList } from './list-recordings.ts';
import { recordingContentKey } from './recording-content-key.ts';
import { RecordingReader } from './recording-reader.ts';

export type { AudioLabels } from './audio-item.ts';

export interface WavFolderOptions {
  readonly audio: AudioSpec;
  /** With labels, recordings without one are left out and listed among what is not used. */
  readonly labels?: AudioLabels;
  /** The one recording to use, by its path relative to the folder. */
  readonly onlyFile?: string;
}

/**
 * Opens a folder of `.wav` files, those of the folders in it included, or one `.wav` file, as items with the float32
 * field `audio`: mono, −1 up to 1 for integer samples, at `sampleRate` where that is given.
 *
 * Without `frame` each recording is an item of the dimensions [samples], or [length] where `length` cuts it or fills its
 * end with zeros. With `frame` each recording gives as many items as it has whole frames, of the dimensions
 * [context + length]: `context` samples from before the frame (zeros before the start), then its own. They are called
 * `file#k`, from 0, and are one sequence and, unless the labels say otherwise, one group. A truth of numbers must then
 * have one row for each frame and is handed out by rows; any other truth goes to every frame.
 *
 * Opening reads labels, and with frames the headers of all files; otherwise a file is first looked at when it is read.
 * Errors: `wav-unreadable`, `wav-invalid` and `wav-unsupported` about files, `labels-invalid`, `no-samples`.
 */
export async function openWavFolder(
  path: string,
  options: WavFolderOptions,
): Promise<Result<ItemCollection, Problem>> {
  checkCounts(options.audio);
  const listed = await listRecordings(path);
  if (!listed.ok) return listed;
  const chosen = chooseRecordings(path, listed.value, options);
  if (!chosen.ok) return chosen;
  const reader = new RecordingReader(options.audio.sampleRate);
  const collection = await attemptAsync(async () => {
    const { audio, labels } = options;
    return audio.frame === undefined
      ? wholeRecordings(path, chosen.value, options, reader)
      : openFramedRecordings(path, chosen.value, { ...audio.frame, total: audio.length }, labels, reader);
  });
  if (!collection.ok) await reader.close();
  return collection;
}

function checkCounts({ sampleRate, length, frame }: AudioSpec): void {
  const counts = { sampleRate, length, 'frame.length': frame?.length, 'frame.hop': frame?.hop };
  for (const [name, value] of Object.entries(counts)) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
      throw new RangeError(`${name} must be a positive integer, not ${value}`);
    }
  }
  const context = frame?.context ?? 0;
  if (!(Number.isSafeInteger(context) && context >= 0)) {
    throw new RangeError(`frame.context must be an integer from 0, not ${context}`);
  }
}

function chooseRecordings(
  path: string,
  list: RecordingList,
  { labels, onlyFile }: WavFolderOptions,
): Result<RecordingList, Problem> {
  const found = onlyFile === undefined ? list.ids : list.ids.filter((id) => id === onlyFile);
  if (found.length === 0) {
    const what = onlyFile === undefined ? 'there is no .wav file' : `there is no file '${onlyFile}'`;
    const hint = 'name a folder that holds .wav files, or one such file';
    return err(problem('no-samples', `${what} in the folder`, { place: { file: path }, hint }));
  }
  if (labels === undefined) return ok({ ...list, ids: found });
  const present = new Set(list.ids);
  const missing = labels.ids.filter((id) => !present.has(id));
  if (missing.length > 0) {
    const message = `${missing.length} labels are for files that do not exist: ${quoteNames(missing)}`;
    const hint = 'paths in the labels are relative to the folder of recordings';
    return err(problem('labels-invalid', message, { place: { file: path }, hint }));
  }
  const ids = found.filter((id) => labels.truthOf(id) !== undefined);
  const unlabelled = found.filter((id) => labels.truthOf(id) === undefined);
  if (ids.length > 0) return ok({ ...list, ids, unused: [...list.unused, ...unlabelled] });
  return err(
    problem('no-samples', `none of the ${found.length} recordings has a label`, {
      place: { file: path },
      hint: `the labels are for ${quoteNames(labels.ids)}, the recordings are ${quoteNames(found)}`,
    }),
  );
}

function wholeRecordings(
  path: string,
  { folder, ids, unused }: RecordingList,
  { audio, labels }: WavFolderOptions,
  reader: RecordingReader,
): ItemCollection {
  const { length } = audio;
  const fileOf = (index: number): string => join(folder, idOf(ids, index));
  return {
    path,
    count: ids.length,
    fields: [
      {
        kind: 'tensor',
        name: AUDIO_FIELD,
        type: 'float32',
        dims: length === undefined ? undefined : [length],
      },
    ],
    unused,
    describe: (index) => {
      const id = idOf(ids, index);
      const group = labels?.truthOf(id)?.group;
      return group === undefined ? { id } : { id, group };
    },
    contentKey: (index) => recordingContentKey(fileOf(index), index),
    read: (index) =>
      readItem(index, async () => {
        const samples = await reader.readWhole(fileOf(index), length);
        return audioItem(samples, labels?.truthOf(idOf(ids, index))?.truth);
      }),
    close: () => reader.close(),
  };
}

function idOf(ids: readonly string[], index: number): string {
  const id = ids[index];
  if (id === undefined) throw new RangeError(`item ${index} of ${ids.length}`);
  return id;
}
