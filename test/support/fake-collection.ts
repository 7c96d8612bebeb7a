import { ok } from '../../src/core/result.ts';
import type {
  FieldInfo,
  FieldValue,
  Item,
  ItemCollection,
  ItemDescription,
} from '../../src/data/item-collection.ts';

/** One item of a made-up collection. */
export interface FakeItem extends Partial<ItemDescription> {
  readonly fields?: Item['fields'];
  readonly truth?: Item['truth'];
}

/** Items that stand in the test: their names are `item 0`, `item 1` unless they say otherwise, their fields those of the first. */
export function fakeCollection(
  items: readonly FakeItem[],
  more: Partial<ItemCollection> = {},
): ItemCollection {
  return {
    path: 'data',
    count: items.length,
    fields: fieldsOf(items[0]?.fields ?? {}),
    unused: [],
    describe: (index) => {
      const { id = `item ${index}`, group, sequence } = items[index] ?? {};
      return {
        id,
        ...(group === undefined ? {} : { group }),
        ...(sequence === undefined ? {} : { sequence }),
      };
    },
    contentKey: async (index) => ok(String(index)),
    read: async (index) => {
      const { fields = {}, truth } = items[index] ?? {};
      return ok({ fields, ...(truth === undefined ? {} : { truth }) });
    },
    close: async () => {},
    ...more,
  };
}

export function float32Value(
  values: readonly number[],
  dims: readonly number[] = [values.length],
): FieldValue {
  return { kind: 'tensor', tensor: { type: 'float32', dims, data: Float32Array.from(values) } };
}

export function textValue(text: string): FieldValue {
  return { kind: 'text', text };
}

function fieldsOf(fields: Item['fields']): readonly FieldInfo[] {
  return Object.entries(fields).map(([name, value]) =>
    value.kind === 'tensor'
      ? { kind: 'tensor', name, type: value.tensor.type, dims: value.tensor.dims }
      : { kind: value.kind, name },
  );
}
