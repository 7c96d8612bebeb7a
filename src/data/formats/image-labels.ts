import { extname } from 'node:path';
import type { LabelSpec } from '../../core/data-spec.ts';
import type { Truth } from '../../core/item.ts';
import { ProblemError } from '../../core/problem.ts';
import { readCoco } from '../labels/coco.ts';
import { type LabelTable, readLabelTable } from '../labels/label-table.ts';
import { createClassReader, invalid } from '../labels/parse-truth.ts';
import { refuseSettings } from '../labels/refuse-settings.ts';
import { quoteNames } from '../quote-names.ts';
import { findMasks } from './image-masks.ts';

/** The pictures that have labels, and by their position what is known of them. */
export interface ImageLabels {
  readonly items: readonly string[];
  readonly truths?: readonly Truth[];
  readonly groups?: readonly (string | undefined)[];
  /** The files of the masks. */
  readonly masks?: readonly string[];
  readonly unused: readonly string[];
}

/**
 * Finds the label of every picture where the settings say. Throws a `ProblemError`: `labels-invalid`,
 * `data-unreadable`.
 */
export async function labelImages(
  folder: string,
  images: readonly string[],
  labels: LabelSpec,
): Promise<ImageLabels> {
  const { file, kind = 'class' } = labels;
  if (kind === 'mask') {
    refuseSettings(labels, ['file', 'item', 'truth', 'group', 'classes'], 'labels are masks', folder);
    return findMasks(folder, images, labels);
  }
  if (file === undefined) {
    refuseSettings(labels, ['item', 'truth', 'group', 'masks'], 'there is no `labels.file`', folder);
    if (kind === 'class') return labelByFolder(folder, images, labels);
    throw invalid(
      `labels of the kind '${kind}' need a file`,
      { file: folder },
      { hint: 'name it in `labels.file`' },
    );
  }
  refuseSettings(labels, ['masks'], `labels are of the kind '${kind}'`, folder);
  const table = await readTable(file, labels);
  if (!table.ok) throw new ProblemError(table.error);
  return labelByTable(folder, images, table.value);
}

async function readTable(file: string, labels: LabelSpec) {
  if (extname(file).toLowerCase() !== '.json') return readLabelTable(file, labels);
  if (labels.kind !== 'boxes') {
    throw invalid(
      'a .json file of labels is taken for COCO, which holds boxes',
      { file },
      {
        hint: "set `labels.kind` to 'boxes', or write the labels as .csv or .jsonl",
      },
    );
  }
  refuseSettings(labels, ['item', 'truth', 'group'], "the labels are COCO's", file);
  return readCoco(file, labels);
}

function labelByTable(folder: string, images: readonly string[], table: LabelTable): ImageLabels {
  const known = new Set(images);
  for (const [item, { place }] of table) {
    if (known.has(item)) continue;
    throw invalid(`the label is for '${item}', but the folder has no such picture`, place, {
      hint: `names are relative to ${folder}, with '/' between folders`,
    });
  }
  const items: string[] = [];
  const truths: Truth[] = [];
  const groups: (string | undefined)[] = [];
  const unused: string[] = [];
  for (const image of images) {
    const entry = table.get(image);
    if (entry === undefined) {
      unused.push(`${image} (without a label)`);
      continue;
    }
    items.push(image);
    truths.push(entry.truth);
    groups.push(entry.group);
  }
  if (items.length > 0) return { items, truths, groups, unused };
  throw invalid('no picture has a label', { file: folder });
}

function labelByFolder(folder: string, images: readonly string[], labels: LabelSpec): ImageLabels {
  const names = images.map((image) => {
    const [name, ...rest] = image.split('/');
    if (name !== undefined && rest.length === 1) return name;
    throw invalid(
      `the labels should be the names of class folders, but '${image}' lies ${rest.length === 0 ? 'in none' : 'deeper'}`,
      { file: folder },
      { hint: 'put each picture into one folder named for its class, or name a file in `labels.file`' },
    );
  });
  const found = [...new Set(names)].sort();
  const classOf = createClassReader(labels.classes ?? found, { file: folder });
  const strange =
    labels.classes === undefined ? undefined : found.find((name) => !labels.classes?.includes(name));
  if (strange !== undefined) {
    throw invalid(
      `the folder '${strange}' is not among \`labels.classes\`, which are ${quoteNames(labels.classes ?? [])}`,
      { file: folder },
      { hint: 'name every class folder in `labels.classes`, in the order of the model' },
    );
  }
  const truthOf = new Map<string, Truth>(
    found.map((name) => [name, { kind: 'class', index: classOf(name, { file: folder }) }]),
  );
  return { items: images, truths: names.map((name) => truthOf.get(name) as Truth), unused: [] };
}
