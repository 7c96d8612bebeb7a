import type { LabelSpec } from '../../core/data-spec.ts';
import { attemptAsync, type Problem, type ProblemPlace } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import type { ItemCollection } from '../item-collection.ts';
import { refuseSettings } from '../labels/refuse-settings.ts';
import { attemptItem } from './attempt-item.ts';
import { type ByteSource, openByteSource } from './byte-source.ts';
import { bytesContentKey } from './content-key.ts';
import { readField } from './jsonl-fields.ts';
import { type JsonlContents, scanJsonl } from './jsonl-scan.ts';
import { readAhead } from './read-ahead-source.ts';
import { type JsonObject, parseJsonLine } from './scan-lines.ts';

/**
 * One JSON object a line. The keys of the first line are the fields: a text, or a number or nested array of numbers as
 * a tensor, int64 where all numbers of all lines are whole and float32 otherwise. Not fields are the truth
 * (`labels.truth`, or `label`), the group (`labels.group`, or `group`), `id` and `sequence`. The id of a line without
 * one is its number.
 *
 * Opening reads the whole file once and checks every line; after that 24 bytes a line are held, with its id, group and
 * sequence. Lines that feed the same have the same content key, whatever their ids and labels.
 * Errors, all with the line: `data-unreadable`, `item-invalid`, `labels-invalid`, `sequence-invalid`,
 * `value-unrepresentable`, `no-samples`.
 */
export function openJsonl(path: string, labels?: LabelSpec): Promise<Result<ItemCollection, Problem>> {
  return attemptAsync(async () => {
    refuseSettings(labels, ['file', 'item', 'masks'], 'each line holds its own label', path);
    const contents = await scanJsonl(path, labels);
    return createCollection(readAhead(await openByteSource(path)), contents);
  });
}

function createCollection(source: ByteSource, contents: JsonlContents): ItemCollection {
  const { lines, fields, ids, groups, sequences, truthOf, unused } = contents;
  const readLine = async (index: number): Promise<{ object: JsonObject; place: ProblemPlace }> => {
    const { line, start, sizeBytes } = lines.at(index);
    const bytes = Buffer.allocUnsafe(sizeBytes);
    await source.read(bytes, start);
    const place = { file: source.path, line };
    return { object: parseJsonLine(bytes, place, 'item-invalid'), place };
  };
  return {
    path: source.path,
    count: lines.count,
    fields,
    unused,
    describe: (index) => {
      const group = groups?.[index];
      const sequence = sequences?.[index];
      return {
        id: ids?.[index] ?? `line ${lines.at(index).line}`,
        ...(group === undefined ? {} : { group }),
        ...(sequence === undefined ? {} : { sequence }),
      };
    },
    contentKey: (index) =>
      attemptItem(source.path, index, async () => {
        const { object } = await readLine(index);
        return bytesContentKey(Buffer.from(JSON.stringify(fields.map(({ name }) => object[name]))));
      }),
    read: (index) =>
      attemptItem(source.path, index, async () => {
        const { object, place } = await readLine(index);
        // A key may be called `__proto__`, which an assignment would take for something else.
        const values = Object.fromEntries(
          fields.map((field) => [field.name, readField(field, object, place)]),
        );
        return truthOf === undefined ? { fields: values } : { fields: values, truth: truthOf(object, place) };
      }),
    close: () => source.close(),
  };
}
