import { isUtf8 } from 'node:buffer';
import {
  type JsonElement,
  JsonElementScanner,
  JsonFault,
  type JsonMember,
} from '../../core/json-elements.ts';
import { ArrivalColumns } from './arrival-columns.ts';
import type { ArrivalTrace } from './arrival-trace.ts';
import { readTime, type TraceObject } from './json-lines.ts';
import { scanTraceBlocks } from './trace-file.ts';
import { invalidTrace, shown } from './trace-problem.ts';

const NS_PER_MS = 1e6;

/** Members of an entry that feed no model: what is sent to a language model stands in `payload`. */
const NO_INPUTS: ReadonlySet<string> = new Set(['timestamp', 'payload', 'model', 'ipc_stream']);

/**
 * The file of perf_analyzer's fixed schedule: one JSON object with `data`, whose entries have a `timestamp` of one number
 * in milliseconds. An entry that holds inputs of a model beside it takes the sample of its own position, as it does
 * where the same file is the data. Entries may be out of order. One entry at a time is held. Source: perf_analyzer,
 * docs/inference_load_modes.md, "Fixed Schedule Mode". Throws a `ProblemError`, see `readArrivalTrace`.
 */
export async function readFixedSchedule(file: string): Promise<ArrivalTrace> {
  const arrivals = new ArrivalColumns();
  const scanner = new JsonElementScanner(
    (member) => member === 'data',
    (element) => addEntry(arrivals, element, file),
  );
  let members: readonly JsonMember[] = [];
  try {
    await scanTraceBlocks(file, (block) => scanner.push(block));
    members = scanner.finish();
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const message = `the file is not JSON from line ${error.line}, column ${error.column} on: ${error.message}`;
    throw invalidTrace(
      message,
      { file, line: error.line },
      'check the file with a JSON editor, or copy it again',
    );
  }
  if (members.find(({ name }) => name === 'data')?.count === undefined) {
    const hint = 'write {"data": [{"timestamp": [0]}, {"timestamp": [12.5]}]}';
    throw invalidTrace("the file has no list 'data'", { file, field: '/data' }, hint);
  }
  return arrivals.finish({ file, format: 'fixed-schedule', nsPerUnit: NS_PER_MS, notes: [] });
}

function addEntry(arrivals: ArrivalColumns, { index, bytes, line }: JsonElement, file: string): void {
  const place = { file, line };
  const entry = parseEntry(bytes, index, place);
  const { timestamp } = entry as { readonly timestamp?: unknown };
  const field = `/data/${index}/timestamp`;
  if (!Array.isArray(timestamp) || timestamp.length !== 1) {
    const message = `the timestamp of entry ${index} is ${shown(timestamp)}, not a list of one number`;
    throw invalidTrace(
      message,
      { ...place, field },
      'give every entry a time in milliseconds: "timestamp": [12.5]',
    );
  }
  const time = readTime(timestamp[0], field, 'milliseconds', place);
  const hasInputs = Object.keys(entry).some((key) => !NO_INPUTS.has(key));
  if (arrivals.count > 0 && hasInputs !== arrivals.hasSamples) {
    const message = hasInputs
      ? `entry ${index} holds inputs of a model, and entries before it none`
      : `entry ${index} holds no inputs of a model, and entries before it some`;
    throw invalidTrace(
      message,
      { ...place, field: `/data/${index}` },
      'give every entry its inputs, or none',
    );
  }
  if (hasInputs) arrivals.add(time, index);
  else arrivals.add(time);
}

function parseEntry(
  bytes: Buffer,
  index: number,
  place: { readonly file: string; readonly line: number },
): TraceObject {
  const at = { ...place, field: `/data/${index}` };
  if (!isUtf8(bytes)) throw invalidTrace(`entry ${index} is not UTF-8`, at, 'save the file in UTF-8');
  let entry: unknown;
  try {
    entry = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    const message = `entry ${index} is not JSON: ${(error as SyntaxError).message}`;
    throw invalidTrace(message, at, 'correct the entry; JSON has no NaN and no Infinity');
  }
  if (typeof entry === 'object' && entry !== null && !Array.isArray(entry)) return entry as TraceObject;
  const message = Array.isArray(entry)
    ? `entry ${index} is a list of steps, which have no times of their own`
    : `entry ${index} is ${shown(entry)}, not an object`;
  throw invalidTrace(message, at, 'a schedule has one request an entry: {"timestamp": [12.5]}');
}
