import { posix } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { AudioSpec, DataSpec, LabelSpec } from '../core/data-spec.ts';
import type { Truth } from '../core/item.ts';
import { attempt, type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { listRecordings } from './audio/list-recordings.ts';
import { type AudioLabels, openWavFolder } from './audio/wav-folder.ts';
import type { ItemCollection } from './item-collection.ts';
import { readLabelTable } from './labels/label-table.ts';
import { createClassReader, invalid } from './labels/parse-truth.ts';
import { refuseSettings } from './labels/refuse-settings.ts';
import { quoteNames } from './quote-names.ts';

/**
 * Opens recordings as `spec` describes them: the one description with `audio` in it says how they are cut and resampled.
 * Errors: `preprocess-invalid` where descriptions differ in that; `labels-invalid`; what `openWavFolder` finds.
 */
export async function openWavData(spec: DataSpec): Promise<Result<ItemCollection, Problem>> {
  const audio = audioSpecOf(spec);
  if (!audio.ok) return audio;
  const labels = spec.labels === undefined ? ok(undefined) : await readLabels(spec.path, spec.labels);
  if (!labels.ok) return labels;
  return openWavFolder(spec.path, {
    audio: audio.value,
    ...(labels.value === undefined ? {} : { labels: labels.value }),
  });
}

/** Recordings are read once, so all inputs that they feed get the same samples. */
function audioSpecOf({ path, preprocess, inputs = {} }: DataSpec): Result<AudioSpec, Problem> {
  const found = [preprocess, ...Object.values(inputs)].flatMap((input) => input?.audio ?? []);
  const [first = {}] = found;
  const other = found.find((audio) => !isDeepStrictEqual(audio, first));
  if (other === undefined) return ok(first);
  const message = 'recordings are described in two ways, but are read in one';
  const hint = 'give sampleRate, length and frame once, or alike for every input';
  return err(problem('preprocess-invalid', message, { place: { file: path }, hint }));
}

/** Labels of a file, or by class folders where no file is named. */
async function readLabels(folder: string, labels: LabelSpec): Promise<Result<AudioLabels, Problem>> {
  const { file } = labels;
  if (file === undefined) return labelByFolder(folder, labels);
  const checked = attempt(() => refuseSettings(labels, ['masks'], 'the items are recordings', folder));
  if (!checked.ok) return checked;
  const table = await readLabelTable(file, labels);
  if (!table.ok) return table;
  return ok({
    ids: [...table.value.keys()],
    truthOf: (id) => table.value.get(posix.normalize(id)),
  });
}

async function labelByFolder(folder: string, labels: LabelSpec): Promise<Result<AudioLabels, Problem>> {
  const { kind = 'class' } = labels;
  if (kind !== 'class') {
    const hint = 'name it in `labels.file`';
    return err(invalid(`labels of the kind '${kind}' need a file`, { file: folder }, { hint }).problem);
  }
  const listed = await listRecordings(folder);
  if (!listed.ok) return listed;
  const { ids } = listed.value;
  return attempt(() => {
    refuseSettings(labels, ['item', 'truth', 'group', 'masks'], 'there is no `labels.file`', folder);
    const names = new Map(ids.map((id) => [id, classFolder(id, folder)]));
    const found = [...new Set(names.values())].sort();
    const { classes = found } = labels;
    const strange = found.find((name) => !classes.includes(name));
    if (strange !== undefined) {
      const message = `the folder '${strange}' is not among \`labels.classes\`, which are ${quoteNames(classes)}`;
      const hint = 'name every class folder in `labels.classes`, in the order of the model';
      throw invalid(message, { file: folder }, { hint });
    }
    const classOf = createClassReader(classes, { file: folder });
    const truths = new Map<string, { readonly truth: Truth }>();
    for (const [id, name] of names) {
      truths.set(id, { truth: { kind: 'class', index: classOf(name, { file: folder }) } });
    }
    return { ids, truthOf: (id) => truths.get(id) };
  });
}

function classFolder(id: string, folder: string): string {
  const [name, ...rest] = id.split('/');
  if (name !== undefined && rest.length === 1) return name;
  const message = `the labels should be the names of class folders, but '${id}' does not lie in one`;
  const hint = 'put each recording into one folder named for its class, or name a file in `labels.file`';
  throw invalid(message, { file: folder }, { hint });
}
