import type { Truth } from '../../core/item.ts';
import { attemptAsync, type Problem, type ProblemPlace } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import type { ItemCollection } from '../item-collection.ts';
import { attemptItem } from './attempt-item.ts';
import { type ByteSource, openByteSource } from './byte-source.ts';
import { bytesContentKey } from './content-key.ts';
import type { LineIndex } from './line-index.ts';
import {
  type Entry,
  type EntryPosition,
  entryAt,
  entryField,
  onlyOutput,
  parseElement,
} from './perf-analyzer-entries.ts';
import { scanPerfAnalyzer } from './perf-analyzer-scan.ts';
import type { PerfAnalyzerContents, ScanOptions } from './perf-analyzer-tally.ts';
import { readExpected, readValue } from './perf-analyzer-values.ts';
import { readAhead } from './read-ahead-source.ts';

/**
 * A file for `--input-data` of perf_analyzer: one JSON object whose `data` has an entry for each sample, with a value for
 * each input of the model: a flat list in row-major order, `{content, shape}`, or `{b64}` with little-endian bytes. The
 * type and, without a `shape`, the dims are those of the input. Entries that are lists are streams: sequences of
 * samples, each also a group. An only output in `validation_data` is the truth, as a tensor. `model`, `timestamp` and
 * `payload` are not fed unless the model has such an input.
 *
 * Opening reads the whole file once and checks every entry; after that 24 bytes an entry are held, and the entry that is
 * read, which in a stream is the stream. So the file may be larger than memory, but no entry larger than 256 MiB.
 * Errors, with line and field: `data-unreadable`, `data-invalid`, `item-invalid`, `no-samples`. Source: perf_analyzer,
 * docs/input_data.md.
 */
export function openPerfAnalyzer(
  path: string,
  options: ScanOptions,
): Promise<Result<ItemCollection, Problem>> {
  return attemptAsync(async () => {
    const source = await openByteSource(path);
    try {
      return createCollection(readAhead(source), await scanPerfAnalyzer(source, options));
    } catch (error) {
      await source.close();
      throw error;
    }
  });
}

function createCollection(source: ByteSource, contents: PerfAnalyzerContents): ItemCollection {
  const { elements, expected, starts, fields, targets, count, read, unused } = contents;
  const readInputs = elementReader(source, elements, 'data', starts !== undefined);
  const readOutputs = expected && elementReader(source, expected, 'validation_data', starts !== undefined);
  const inputsAt = (index: number) => readInputs(positionOf(starts, index));
  const truthAt = async (index: number): Promise<Truth | undefined> => {
    if (readOutputs === undefined) return undefined;
    const { entry, place } = await readOutputs(positionOf(starts, index));
    const name = onlyOutput(entry) as string;
    return { kind: 'tensor', ...readExpected(entry[name], { ...place, field: `${place.field}/${name}` }) };
  };
  return {
    path: source.path,
    count,
    fields,
    unused,
    describe: (index) => {
      const position = positionOf(starts, index);
      const id = entryField('data', position).slice(1);
      const stream = String(position.element);
      return starts === undefined ? { id } : { id, group: stream, sequence: stream };
    },
    contentKey: (index) =>
      attemptItem(source.path, index, async () => {
        const { entry } = await inputsAt(index);
        return bytesContentKey(Buffer.from(JSON.stringify(fields.map(({ name }) => entry[name]))));
      }),
    read: (index) =>
      attemptItem(source.path, index, async () => {
        const { entry, place } = await inputsAt(index);
        // An input may be called `__proto__`, which an assignment would take for something else.
        const values = Object.fromEntries(
          read.map((name) => [
            name,
            readValue(entry[name], targets.get(name), { ...place, field: `${place.field}/${name}` }),
          ]),
        );
        const truth = await truthAt(index);
        return truth === undefined ? { fields: values } : { fields: values, truth };
      }),
    close: () => source.close(),
  };
}

type ReadEntry = (
  position: EntryPosition,
) => Promise<{ readonly entry: Entry; readonly place: ProblemPlace }>;

/** Steps of a stream follow each other, so that the last stream is kept instead of being parsed at every step. */
function elementReader(
  source: ByteSource,
  elements: LineIndex,
  member: string,
  hasStreams: boolean,
): ReadEntry {
  let kept: { readonly element: number; readonly parsed: Promise<unknown> } | undefined;
  const parse = async (element: number): Promise<unknown> => {
    const { line, start, sizeBytes } = elements.at(element);
    const bytes = Buffer.allocUnsafe(sizeBytes);
    await source.read(bytes, start);
    return parseElement(bytes, { file: source.path, line, field: `/${member}/${element}` });
  };
  return async (position) => {
    const { element, step } = position;
    const parsed = kept?.element === element ? kept.parsed : parse(element);
    if (hasStreams) kept = { element, parsed };
    const place = { file: source.path, line: elements.at(element).line, field: entryField(member, position) };
    return { entry: entryAt(await parsed, step, place), place };
  };
}

function positionOf(starts: readonly number[] | undefined, index: number): EntryPosition {
  if (starts === undefined) return { element: index, step: undefined };
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] as number) <= index) low = middle;
    else high = middle;
  }
  return { element: low, step: index - (starts[low] as number) };
}
