import { join, relative, sep } from 'node:path';
import type { LabelSpec } from '../../core/data-spec.ts';
import type { Truth } from '../../core/item.ts';
import { attemptAsync, type Problem, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import type { ItemCollection } from '../item-collection.ts';
import { attemptItem } from './attempt-item.ts';
import { fileContentKey } from './content-key.ts';
import { type ImageLabels, labelImages } from './image-labels.ts';
import { type DecodeMask, readMaskTruth } from './image-masks.ts';
import { isImageName } from './image-name.ts';
import { describeLeftOut, walkFolder } from './walk-folder.ts';

/**
 * The pictures below a folder (JPEG, PNG, WebP by their endings), sorted by path in UTF-16 code units. The only field
 * is `image`; the id is the path from the folder. Pictures are not opened here, and memory is that of their names and
 * truths.
 *
 * Without `labels` there is no truth. With `labels.file` (CSV, JSON lines, COCO's JSON) the items are the pictures that
 * the file names; with `labels.masks` those that have a mask. Otherwise every picture must lie in one folder named for
 * its class: the class is the position of that name in `labels.classes`, or among the sorted names.
 * Errors: `data-unreadable`, `no-samples`, `labels-invalid` with file and line.
 */
export function openImageFolder(
  path: string,
  labels: LabelSpec | undefined,
  decodeMask: DecodeMask,
): Promise<Result<ItemCollection, Problem>> {
  return attemptAsync(async () => {
    const { images, unused } = await listImages(path, labels);
    if (images.length === 0) throw noImages(path, unused);
    const labelled = labels === undefined ? undefined : await labelImages(path, images, labels);
    const items = labelled?.items ?? images;
    return createCollection(path, items, labelled, decodeMask, [...unused, ...(labelled?.unused ?? [])]);
  });
}

function createCollection(
  path: string,
  items: readonly string[],
  labels: ImageLabels | undefined,
  decodeMask: DecodeMask,
  unused: readonly string[],
): ItemCollection {
  const fileOf = (index: number) => join(path, items[index] as string);
  const truthOf = async (index: number): Promise<Truth | undefined> => {
    const mask = labels?.masks?.[index];
    return mask === undefined ? labels?.truths?.[index] : readMaskTruth(mask, decodeMask);
  };
  return {
    path,
    count: items.length,
    fields: [{ kind: 'image', name: 'image' }],
    unused,
    describe: (index) => {
      const group = labels?.groups?.[index];
      return { id: items[index] as string, ...(group === undefined ? {} : { group }) };
    },
    contentKey: (index) => attemptItem(path, index, () => fileContentKey(fileOf(index))),
    read: (index) =>
      attemptItem(path, index, async () => {
        const fields = { image: { kind: 'image', encoded: fileOf(index) } } as const;
        const truth = await truthOf(index);
        return truth === undefined ? { fields } : { fields, truth };
      }),
    close: async () => {},
  };
}

interface Images {
  readonly images: readonly string[];
  readonly unused: readonly string[];
}

async function listImages(folder: string, labels: LabelSpec | undefined): Promise<Images> {
  // Labels may lie among the pictures; masks are pictures themselves.
  const labelFile = relativeTo(folder, labels?.file);
  const masks = relativeTo(folder, labels?.masks);
  const images: string[] = [];
  const unused: string[] = [];
  for await (const entry of walkFolder(folder)) {
    const { path, leftOut } = entry;
    if (path === labelFile || (masks !== undefined && path.startsWith(`${masks}/`))) continue;
    if (leftOut === undefined && isImageName(path)) images.push(path);
    else unused.push(describeLeftOut(entry));
  }
  return { images: images.sort(), unused: unused.sort() };
}

function relativeTo(folder: string, path: string | undefined): string | undefined {
  return path === undefined ? undefined : relative(folder, path).replaceAll(sep, '/');
}

function noImages(path: string, unused: readonly string[]): ProblemError {
  const found =
    unused.length === 0
      ? 'it is empty'
      : `it holds ${unused.slice(0, 3).join(', ')}${unused.length > 3 ? ` and ${unused.length - 3} more` : ''}`;
  return new ProblemError(
    problem('no-samples', `the folder holds no pictures: ${found}`, {
      place: { file: path },
      hint: 'pictures end in .jpg, .jpeg, .png or .webp',
    }),
  );
}
