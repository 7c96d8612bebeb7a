import { ArrivalColumns } from './arrival-columns.ts';
import type { ArrivalTrace } from './arrival-trace.ts';
import { parseTraceObject, readTime, type TraceObject } from './json-lines.ts';
import { scanTraceLines } from './trace-file.ts';
import { invalidTrace, shown } from './trace-problem.ts';

/** How the first line of a trace says what it is. */
export const TRACE_HEADER = { format: 'ptq-agent-trace', version: 1 } as const;

const NS_PER_US = 1000;
const MAX_SAMPLE = 0xffff_ffff;
const EXAMPLE = '{"t_us": 1250, "sample": 7}';

interface Place {
  readonly file: string;
  readonly line: number;
}

interface Header {
  readonly count: number | undefined;
  readonly wrapGapUs: number | undefined;
}

/**
 * Our own format: an object a line with `t_us`, microseconds from any origin, with fractions, in order; and `sample`,
 * from 0, in every line or in none. The first line may be a header, `{"format": "ptq-agent-trace", "version": 1}`, in
 * which `count` guards against a file that was cut short and `wrap_gap_us` is the gap before a repetition; what else it
 * says is not read. A query is one run of the model on one sample: a `batch` other than 1 and a `shape_key` are refused,
 * as they could not be replayed. Throws a `ProblemError`, see `readArrivalTrace`.
 */
export async function readOwnTrace(file: string): Promise<ArrivalTrace> {
  const arrivals = new ArrivalColumns();
  let header: Header | undefined;
  let isFirst = true;
  await scanTraceLines(file, (line) => {
    const object = parseTraceObject(line, file);
    const place = { file, line: line.line };
    if (Object.hasOwn(object, 'format')) {
      if (!isFirst) {
        throw invalidTrace(
          'a header stands behind other lines',
          place,
          'two traces seem to have been joined: keep them in two files',
        );
      }
      header = readHeader(object, place);
    } else {
      addArrival(arrivals, object, place);
    }
    isFirst = false;
  });
  checkCount(header, arrivals.count, file);
  const trace = arrivals.finish({ file, format: 'ptq-agent', nsPerUnit: NS_PER_US, notes: [] });
  const wrapGapUs = header?.wrapGapUs;
  return wrapGapUs === undefined ? trace : { ...trace, wrapGapNs: Math.round(wrapGapUs * NS_PER_US) };
}

function readHeader(object: TraceObject, place: Place): Header {
  const { format, version, count, wrap_gap_us: wrapGapUs } = object;
  if (format !== TRACE_HEADER.format) {
    const message = `the header says that the format is ${shown(format)}`;
    throw invalidTrace(
      message,
      { ...place, field: 'format' },
      `a trace has "format": "${TRACE_HEADER.format}"`,
    );
  }
  if (version !== TRACE_HEADER.version) {
    const message = `the version of the trace is ${shown(version)}, and this program reads version 1`;
    throw invalidTrace(message, { ...place, field: 'version' }, 'read it with the program that wrote it');
  }
  if (count !== undefined && !(Number.isSafeInteger(count) && (count as number) >= 0)) {
    const message = `'count' is ${shown(count)}`;
    throw invalidTrace(message, { ...place, field: 'count' }, 'give the number of lines that follow');
  }
  return {
    count: count as number | undefined,
    wrapGapUs:
      wrapGapUs === undefined ? undefined : readTime(wrapGapUs, 'wrap_gap_us', 'microseconds', place),
  };
}

function checkCount(header: Header | undefined, count: number, file: string): void {
  if (header?.count === undefined || header.count === count) return;
  throw invalidTrace(
    `the header announces ${header.count} arrivals, but the file holds ${count}`,
    { file, field: 'count' },
    'the file was cut short or changed: copy it again, or correct the header',
  );
}

function addArrival(arrivals: ArrivalColumns, object: TraceObject, place: Place): void {
  for (const key in object) if (key !== 't_us' && key !== 'sample') checkOther(key, object[key], place);
  const time = readTime(object['t_us'], 't_us', 'microseconds', place);
  if (time < arrivals.latest) {
    throw invalidTrace(
      `'t_us' is ${time}, before the ${arrivals.latest} of an earlier line`,
      { ...place, field: 't_us' },
      'put the lines in order; if two traces have been joined, keep them in two files',
    );
  }
  const { sample } = object as { readonly sample?: unknown };
  if (arrivals.count > 0 && (sample !== undefined) !== arrivals.hasSamples) {
    const message =
      sample === undefined
        ? 'the line has no sample, but earlier lines have'
        : 'earlier lines have no sample';
    throw invalidTrace(message, { ...place, field: 'sample' }, 'give every line a sample, or none');
  }
  if (sample === undefined) arrivals.add(time);
  else if (Number.isInteger(sample) && (sample as number) >= 0 && (sample as number) <= MAX_SAMPLE) {
    arrivals.add(time, sample as number);
  } else {
    const message = `'sample' is ${shown(sample)}, not a whole number from 0`;
    throw invalidTrace(message, { ...place, field: 'sample' }, 'number the samples of the data from 0');
  }
}

/** Nothing that would change a replay is passed over. */
function checkOther(key: string, value: unknown, place: Place): void {
  const at = { ...place, field: key };
  if (key === 'batch') {
    if (value === 1) return;
    const hint = 'write a line for each sample, all with the same time';
    throw invalidTrace(`'batch' is ${shown(value)}, but a query is one run on one sample`, at, hint);
  }
  if (key === 'shape_key') {
    const hint = 'name a sample of that shape by `sample`';
    throw invalidTrace(
      "'shape_key' cannot be replayed: the shape of a query is that of its sample",
      at,
      hint,
    );
  }
  throw invalidTrace(
    `'${key}' is no field of a trace`,
    at,
    `a line is like ${EXAMPLE}; other facts go into the header`,
  );
}
