import type { Truth } from '../../core/item.ts';
import type { ItemCollection } from '../item-collection.ts';
import { type ArrayLayout, readRow, readRowBytes } from './array-rows.ts';
import { attemptItem } from './attempt-item.ts';
import type { ByteSource } from './byte-source.ts';
import { bytesContentKey } from './content-key.ts';
import { readAhead } from './read-ahead-source.ts';

interface ArrayContents {
  readonly source: ByteSource;
  readonly layout: ArrayLayout;
  /** The name of the only field. */
  readonly field: string;
  readonly truthAt?: (index: number) => Promise<Truth>;
  readonly close: () => Promise<void>;
}

/** The rows of one array as items: `row 0` is the first, as its index in NumPy. */
export function createArrayCollection({
  source,
  layout,
  field,
  truthAt,
  close,
}: ArrayContents): ItemCollection {
  const rows = readAhead(source);
  return {
    path: source.path,
    count: layout.shape[0] ?? 0,
    fields: [{ kind: 'tensor', name: field, type: layout.type, dims: layout.shape.slice(1) }],
    unused: [],
    describe: (index) => ({ id: `row ${index}` }),
    contentKey: (index) =>
      attemptItem(source.path, index, async () => bytesContentKey(await readRowBytes(rows, layout, index))),
    read: (index) =>
      attemptItem(source.path, index, async () => {
        const tensor = await readRow(rows, layout, index);
        const fields = { [field]: { kind: 'tensor', tensor } } as const;
        return truthAt === undefined ? { fields } : { fields, truth: await truthAt(index) };
      }),
    close,
  };
}
