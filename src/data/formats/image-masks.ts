import { join, relative } from 'node:path';
import type { LabelSpec } from '../../core/data-spec.ts';
import type { Truth } from '../../core/item.ts';
import { type Problem, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { invalid } from '../labels/parse-truth.ts';
import { describeLeftOut, walkFolder } from './walk-folder.ts';

/** A decoded mask: one value for each pixel, row by row. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** The pictures that have a mask, with the mask's file by the same position, and what else there is. */
interface MaskedImages {
  readonly items: readonly string[];
  readonly masks: readonly string[];
  readonly unused: readonly string[];
}

export type DecodeMask = (path: string) => Promise<Result<Mask, Problem>>;

/**
 * The pictures that have a mask: `cats/1.jpg` has `cats/1.png` in the folder `labels.masks`. Throws a `ProblemError` of
 * the kinds `labels-invalid` and `data-unreadable`.
 */
export async function findMasks(
  folder: string,
  images: readonly string[],
  labels: LabelSpec,
): Promise<MaskedImages> {
  const { masks: maskFolder } = labels;
  if (maskFolder === undefined) {
    throw invalid(
      "labels of the kind 'mask' need a folder of masks",
      { file: folder },
      {
        hint: 'name it in `labels.masks`',
      },
    );
  }
  if (relative(folder, maskFolder) === '') {
    throw invalid(
      'the masks lie among the pictures, which are then not told apart',
      { file: folder },
      {
        hint: 'put the masks into a folder of their own',
      },
    );
  }
  const present = new Set<string>();
  const unused: string[] = [];
  const list = (path: string) => unused.push(`${join(maskFolder, path)}`);
  for await (const entry of walkFolder(maskFolder)) {
    if (entry.leftOut !== undefined) list(describeLeftOut(entry));
    else if (/\.png$/i.test(entry.path)) present.add(entry.path);
    else list(entry.path);
  }
  const items: string[] = [];
  const masks: string[] = [];
  const needed = new Set<string>();
  for (const image of images) {
    const mask = image.replace(/\.[^.]*$/, '.png');
    if (!present.has(mask)) {
      unused.push(`${image} (without a mask)`);
      continue;
    }
    items.push(image);
    masks.push(join(maskFolder, mask));
    needed.add(mask);
  }
  for (const mask of present) if (!needed.has(mask)) list(`${mask} (without a picture)`);
  if (items.length > 0) return { items, masks, unused: unused.sort() };
  throw invalid(
    `no picture has a mask; that of '${images[0]}' would be '${images[0]?.replace(/\.[^.]*$/, '.png')}'`,
    {
      file: maskFolder,
    },
    { hint: 'masks are named as the pictures are, with the ending .png' },
  );
}

/** The mask as a tensor [height, width]. Throws a `ProblemError`: what `decodeMask` finds. */
export async function readMaskTruth(path: string, decodeMask: DecodeMask): Promise<Truth> {
  const mask = await decodeMask(path);
  if (!mask.ok) {
    throw new ProblemError({ ...mask.error, place: { file: path, ...mask.error.place } });
  }
  const { width, height, data } = mask.value;
  if (data.length !== width * height) {
    throw new ProblemError(
      problem('labels-invalid', `the mask has ${data.length} values for ${width} × ${height} pixels`, {
        place: { file: path },
        hint: 'a mask has one channel: the class of each pixel',
      }),
    );
  }
  return { kind: 'tensor', dims: [height, width], values: data };
}
