import type { LabelSpec } from '../../core/data-spec.ts';
import type { Truth } from '../../core/item.ts';
import { attemptAsync, type Problem, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { elementCount } from '../../core/tensor.ts';
import { allocateElements } from '../convert-elements.ts';
import type { ItemCollection } from '../item-collection.ts';
import { createClassReader, invalid } from '../labels/parse-truth.ts';
import { refuseSettings } from '../labels/refuse-settings.ts';
import { createArrayCollection } from './array-collection.ts';
import { type ArrayLayout, readRow, swapToHostOrder } from './array-rows.ts';
import { type ByteSource, inflateByteSource, openByteSource } from './byte-source.ts';
import { readIdxHeader } from './idx-header.ts';

interface IdxFile {
  readonly source: ByteSource;
  readonly layout: ArrayLayout;
}

type TruthAt = (index: number) => Promise<Truth>;

/**
 * The rows of an idx file (the format of MNIST) as items with the field `image`; axis 0 counts them. A name that ends
 * in `.gz` is unpacked into memory, up to 1 GiB; other files are read row by row. The truth is row i of the idx file
 * `labels.file`: one class each, all checked here, or with `labels.kind` `tensor` the numbers of the row.
 * Errors: `data-unreadable`; `data-invalid` for what is no whole idx file; `sample-count-mismatch`; `labels-invalid`.
 */
export function openIdx(
  path: string,
  labels: LabelSpec | undefined,
): Promise<Result<ItemCollection, Problem>> {
  return attemptAsync(async () => {
    const images = await openFile(path);
    let truths: IdxFile | undefined;
    const close = async () => {
      await images.source.close();
      await truths?.source.close();
    };
    try {
      if (labels === undefined) return createArrayCollection({ ...images, field: 'image', close });
      refuseSettings(
        labels,
        ['item', 'truth', 'group', 'masks'],
        'labels of an idx file are an idx file',
        path,
      );
      if (labels.file === undefined) {
        throw invalid(
          'labels of an idx file are an idx file of their own',
          { file: path },
          {
            hint: 'name it in `labels.file`',
          },
        );
      }
      truths = await openFile(labels.file);
      checkCounts(images, truths);
      const truthAt = await readTruths(truths, labels);
      return createArrayCollection({ ...images, field: 'image', truthAt, close });
    } catch (error) {
      await close();
      throw error;
    }
  });
}

async function openFile(path: string): Promise<IdxFile> {
  const source = await (/\.gz$/i.test(path) ? inflateByteSource(path) : openByteSource(path));
  try {
    const layout = await readIdxHeader(source);
    if (!layout.ok) throw new ProblemError(layout.error);
    return { source, layout: layout.value };
  } catch (error) {
    await source.close();
    throw error;
  }
}

function checkCounts(images: IdxFile, truths: IdxFile): void {
  const [imageCount, truthCount] = [images.layout.shape[0], truths.layout.shape[0]];
  if (imageCount === truthCount) return;
  throw new ProblemError(
    problem('sample-count-mismatch', `there are ${imageCount} items and ${truthCount} labels`, {
      place: { file: truths.source.path },
      hint: `name the labels that belong to ${images.source.path}`,
    }),
  );
}

async function readTruths({ source, layout }: IdxFile, labels: LabelSpec): Promise<TruthAt> {
  const { kind = 'class' } = labels;
  const { path } = source;
  if (kind === 'tensor') {
    refuseSettings(labels, ['classes'], "labels are of the kind 'tensor'", path);
    return async (index) => {
      const { dims, data } = await readRow(source, layout, index);
      return { kind, dims, values: data as ArrayLike<number> };
    };
  }
  if (kind !== 'class') {
    throw invalid(
      `an idx file cannot hold labels of the kind '${kind}'`,
      { file: path },
      {
        hint: "the kinds are 'class' and 'tensor'",
      },
    );
  }
  if (layout.type.startsWith('float') || elementCount(layout.shape.slice(1)) !== 1) {
    throw invalid(
      `the labels are ${layout.type} [${layout.shape}], not one class an item`,
      { file: path },
      {
        hint: "for other numbers set `labels.kind` to 'tensor'",
      },
    );
  }
  const classes = await readClasses({ source, layout }, labels);
  return async (index) => ({ kind, index: classes[index] as number });
}

async function readClasses({ source, layout }: IdxFile, labels: LabelSpec): Promise<Int32Array> {
  const count = layout.shape[0] as number;
  const bytes = new Uint8Array(new ArrayBuffer(count * layout.elementSizeBytes));
  await source.read(bytes, layout.dataOffset);
  swapToHostOrder(bytes, layout);
  const numbers = allocateElements(layout.type, count, bytes.buffer);
  const classOf = createClassReader(labels.classes, { file: source.path });
  return Int32Array.from(numbers as ArrayLike<number>, (label, sample) =>
    classOf(label, { file: source.path, sample }),
  );
}
