import { ArrivalColumns } from './arrival-columns.ts';
import type { ArrivalTrace } from './arrival-trace.ts';
import { scanTraceLines } from './trace-file.ts';
import { invalidTrace } from './trace-problem.ts';

const COLUMN = 'TIMESTAMP';
const DATE_TIME = /^"?(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?"?$/;

interface Place {
  readonly file: string;
  readonly line: number;
}

interface Columns {
  readonly count: number;
  readonly time: number;
  readonly others: readonly string[];
}

/** A point in time: seconds of the Unix epoch, nanoseconds within the second. */
interface DateTime {
  readonly seconds: number;
  readonly ns: number;
  readonly hasZone: boolean;
}

/**
 * A trace of Azure's LLM services: CSV with a header line and the column `TIMESTAMP`, such as
 * `2023-11-16 18:15:46.6805900`, or with a zone and six digits or none, as that of 2024. All digits are kept. Only
 * arrivals are replayed. Lines may be out of order. Source: AzurePublicDataset, AzureLLMInferenceDataset2023.md and the
 * notebook of 2024. Throws a `ProblemError`, see `readArrivalTrace`.
 */
export async function readAzureTrace(file: string): Promise<ArrivalTrace> {
  const arrivals = new ArrivalColumns();
  let columns: Columns | undefined;
  let first: DateTime | undefined;
  await scanTraceLines(file, ({ text, line }) => {
    const place = { file, line };
    if (columns === undefined) {
      columns = readColumns(text, place);
      return;
    }
    const cells = text.split(',');
    if (cells.length !== columns.count) {
      const message = `the line has ${cells.length} columns, the header ${columns.count}`;
      throw invalidTrace(message, place, 'copy the file again if it was cut short');
    }
    const time = readDateTime(cells[columns.time] as string, place);
    first ??= time;
    if (time.hasZone !== first.hasZone) {
      const hint = 'write all times with a zone, or none';
      throw invalidTrace('some times have a zone and some have none', { ...place, field: COLUMN }, hint);
    }
    // From the first line's second on, a double holds every nanosecond of 104 days.
    arrivals.add((time.seconds - first.seconds) * 1e9 + time.ns);
  });
  const names = columns?.others.map((name) => `'${name}'`).join(', ') ?? '';
  const notes = names === '' ? [] : [`only arrivals are replayed, not ${names}`];
  return arrivals.finish({ file, format: 'azure-llm', nsPerUnit: 1, notes });
}

function readColumns(text: string, place: Place): Columns {
  const names = text.split(',').map((name) => name.trim().replace(/^"(.*)"$/, '$1'));
  const time = names.indexOf(COLUMN);
  if (time !== -1) return { count: names.length, time, others: names.filter((name) => name !== COLUMN) };
  const message = `the first line names no column '${COLUMN}'`;
  throw invalidTrace(message, place, `begin with a header such as ${COLUMN},ContextTokens,GeneratedTokens`);
}

function readDateTime(cell: string, place: Place): DateTime {
  const text = cell.trim();
  const parts = DATE_TIME.exec(text);
  const seconds = parts === null ? undefined : epochSeconds(parts);
  if (parts === null || seconds === undefined) {
    throw invalidTrace(
      `'${text.slice(0, 40)}' is no date and time`,
      { ...place, field: COLUMN },
      'write it as 2023-11-16 18:15:46.6805900',
    );
  }
  return { seconds, ns: Number((parts[7] ?? '').padEnd(9, '0')), hasZone: parts[8] !== undefined };
}

/** Undefined for a day or an hour that does not exist. */
function epochSeconds(parts: RegExpExecArray): number | undefined {
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as SixNumbers;
  const date = new Date(Date.UTC(year, month - 1, day));
  const exists = date.getUTCDate() === day && date.getUTCMonth() === month - 1;
  if (!exists || hour >= 24 || minute >= 60 || second >= 60) return undefined;
  return date.getTime() / 1000 + hour * 3600 + minute * 60 + second - zoneSeconds(parts[8]);
}

type SixNumbers = [number, number, number, number, number, number];

function zoneSeconds(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0;
  const seconds = Number(zone.slice(1, 3)) * 3600 + Number(zone.slice(-2)) * 60;
  return zone.startsWith('-') ? -seconds : seconds;
}
