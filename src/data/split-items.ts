import { createHash } from 'node:crypto';
import { ALL_ITEMS, type SplitSpec } from '../core/data-spec.ts';
import { attemptAsync, type Problem, ProblemError, problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import type { ItemCollection } from './item-collection.ts';
import { quoteNames } from './quote-names.ts';

// Sums of shares such as 0.7 + 0.2 + 0.1 miss 1 by less than this.
const SHARE_STEPS = 1e12;

// Keys are read from files of their own, which waits more than it computes.
const CONCURRENT_KEYS = 16;

/** The named splits, checked: shares as ranges of the places from 0 to 1, and counts. */
interface Sizes {
  readonly ranges: readonly { readonly name: string; readonly start: number; readonly end: number }[];
  readonly counts: readonly { readonly name: string; readonly count: number }[];
}

/**
 * Positions of the items of one split. An item's place between 0 and 1 is a hash of its content and the seed: the first
 * 53 bits of SHA-256 over `<seed>\n<content key>`. So it depends neither on the order nor on the names of items, and
 * copies have one place.
 *
 * Sizes up to 1 are shares, taken as ranges of places one after another in the order of `sizes`: an item keeps its
 * split when others come and go. Sizes above 1 are counts, taken afterwards from the items that are in no share, in the
 * order of `sizes`: each takes the items with the lowest places that are left, passing over copies that would be too
 * many together. What is left then is in no split. The positions come in the order of the places, so the first n are a
 * random sample; those of `all` come in the order of the collection.
 * Errors: `split-missing`; `split-invalid` for sizes that cannot be had; `no-samples` for a share without items; what
 * `contentKey` finds.
 */
export function splitItems(
  collection: ItemCollection,
  spec: SplitSpec,
  split: string,
): Promise<Result<Uint32Array, Problem>> {
  return attemptAsync(async () => {
    const { path: file, count } = collection;
    const sizes = checkSizes(spec, file);
    if (split === ALL_ITEMS) return Uint32Array.from({ length: count }, (_, index) => index);
    if (!Object.hasOwn(spec.sizes, split)) {
      throw fault(
        'split-missing',
        file,
        `there is no split '${split}'; there are ${quoteNames(Object.keys(spec.sizes))}`,
        {
          hint: `choose one of them, or '${ALL_ITEMS}'`,
        },
      );
    }
    const places = await placeItems(collection, spec.seed);
    const order = Uint32Array.from({ length: count }, (_, index) => index).sort(
      (a, b) => (places[a] as number) - (places[b] as number) || a - b,
    );
    const range = sizes.ranges.find(({ name }) => name === split);
    if (range === undefined) return takeCounts(order, places, sizes, split, file);
    const positions = order.filter((index) => isWithin(places[index] as number, range));
    if (positions.length > 0) return positions;
    throw fault(
      'no-samples',
      file,
      `the split '${split}', a share of ${spec.sizes[split]}, holds none of the ${count} items`,
      {
        hint: 'enlarge its share, or give a number of items instead',
      },
    );
  });
}

function checkSizes({ sizes }: SplitSpec, file: string): Sizes {
  const ranges: Sizes['ranges'][number][] = [];
  const counts: Sizes['counts'][number][] = [];
  let end = 0;
  for (const [name, size] of Object.entries(sizes)) {
    const place = { field: `/splits/sizes/${name}` };
    if (name === ALL_ITEMS) {
      throw fault('split-invalid', file, `the name '${ALL_ITEMS}' is that of all items`, {
        ...place,
        hint: 'name the split otherwise',
      });
    }
    if (!(size > 0) || (size > 1 && !Number.isSafeInteger(size))) {
      throw fault('split-invalid', file, `the size of the split '${name}' is ${size}`, {
        ...place,
        hint: 'give a share of at most 1, or a whole number of items',
      });
    }
    if (size > 1) {
      counts.push({ name, count: size });
      continue;
    }
    const start = end;
    end = Math.round((start + size) * SHARE_STEPS) / SHARE_STEPS;
    ranges.push({ name, start, end });
  }
  if (end > 1) {
    const list = ranges.map(({ name }) => `'${name}' ${sizes[name]}`).join(', ');
    throw fault('split-invalid', file, `the shares add up to ${end}, which is more than all items: ${list}`, {
      field: '/splits/sizes',
      hint: 'make them add up to at most 1',
    });
  }
  return { ranges, counts };
}

async function placeItems(collection: ItemCollection, seed: number): Promise<Float64Array> {
  const places = new Float64Array(collection.count);
  let next = 0;
  const work = async () => {
    while (next < places.length) {
      const index = next;
      next += 1;
      const key = await collection.contentKey(index);
      if (!key.ok) {
        next = places.length;
        throw new ProblemError(key.error);
      }
      places[index] = placeOf(seed, key.value);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_KEYS }, work));
  return places;
}

function placeOf(seed: number, key: string): number {
  const digest = createHash('sha256').update(`${seed}\n${key}`).digest();
  return (digest.readUInt32BE(0) * 2 ** 21 + (digest.readUInt32BE(4) >>> 11)) / 2 ** 53;
}

function isWithin(place: number, { start, end }: { readonly start: number; readonly end: number }): boolean {
  return place >= start && place < end;
}

function takeCounts(
  order: Uint32Array,
  places: Float64Array,
  { ranges, counts }: Sizes,
  split: string,
  file: string,
): Uint32Array {
  let left: Uint32Array = order.filter(
    (index) => !ranges.some((range) => isWithin(places[index] as number, range)),
  );
  const wanted = counts.reduce((sum, { count }) => sum + count, 0);
  if (wanted > left.length) {
    const list = counts.map(({ name, count }) => `'${name}' ${count}`).join(', ');
    const shares = ranges.length === 0 ? '' : `, ${order.length - left.length} of which are in shares`;
    throw fault(
      'split-invalid',
      file,
      `the splits ask for ${wanted} items (${list}), but there are ${order.length}${shares}`,
      {
        field: '/splits/sizes',
        hint: 'ask for fewer',
      },
    );
  }
  for (const { name, count } of counts) {
    const { taken, rest } = takeCount(left, places, count);
    if (taken.length < count) {
      throw fault(
        'split-invalid',
        file,
        `the split '${name}' wants ${count} items, but copies that stay together leave only ${taken.length}`,
        {
          field: `/splits/sizes/${name}`,
          hint: `ask for ${taken.length}, or remove the copies`,
        },
      );
    }
    if (name === split) return taken;
    left = rest;
  }
  throw new RangeError(`no count for '${split}'`);
}

/** Takes whole groups of copies, which are those of one place, from the front as long as they fit. */
function takeCount(
  left: Uint32Array,
  places: Float64Array,
  count: number,
): { readonly taken: Uint32Array; readonly rest: Uint32Array } {
  const taken = new Uint32Array(count);
  const rest = new Uint32Array(left.length);
  let takenCount = 0;
  let restCount = 0;
  for (let start = 0; start < left.length; ) {
    let end = start + 1;
    while (end < left.length && places[left[end] as number] === places[left[start] as number]) end += 1;
    const copies = left.subarray(start, end);
    if (takenCount + copies.length <= count) {
      taken.set(copies, takenCount);
      takenCount += copies.length;
    } else {
      rest.set(copies, restCount);
      restCount += copies.length;
    }
    start = end;
  }
  return { taken: taken.subarray(0, takenCount), rest: rest.subarray(0, restCount) };
}

function fault(
  kind: 'split-missing' | 'split-invalid' | 'no-samples',
  file: string,
  message: string,
  { field, hint }: { readonly field?: string; readonly hint: string },
): ProblemError {
  return new ProblemError(
    problem(kind, message, { place: { file, ...(field === undefined ? {} : { field }) }, hint }),
  );
}
