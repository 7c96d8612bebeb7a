import { describe, expect, it } from 'vitest';
import { dueOf, faultOf, readTrace } from './trace-file-of.ts';

const HEADER = '{"format":"ptq-agent-trace","version":1}';
const lines = (...rows: readonly string[]) => `${rows.join('\n')}\n`;

describe('a trace of our own', () => {
  it('has a time in microseconds and a sample a line', async () => {
    const trace = await readTrace(
      'a.jsonl',
      lines('{"t_us": 0, "sample": 7}', '{"sample": 0, "t_us": 1250.5}'),
    );
    expect(dueOf(trace)).toEqual([0, 1_250_500]);
    expect(trace.samples).toEqual(Uint32Array.of(7, 0));
    expect(trace).not.toHaveProperty('wrapGapNs');
    expect(trace.source).toMatchObject({
      format: 'ptq-agent',
      count: 2,
      durationNs: 1_250_500,
      meanRate: 1e9 / 1_250_500,
      notes: [],
    });
  });

  it('counts from its first arrival, to the nanosecond even behind microseconds since 1970', async () => {
    const epoch = await readTrace(
      'a.jsonl',
      lines('{"t_us": 1700000000000001}', '{"t_us": 1700000000000004}'),
    );
    expect(dueOf(epoch)).toEqual([0, 3000]);
    const days = 30 * 86_400 * 1e6;
    const late = await readTrace('a.jsonl', lines('{"t_us": 0.001}', `{"t_us": ${days}.124}`));
    expect(dueOf(late)).toEqual([0, days * 1000 + 123]);
  });

  it('may have a header, whose other members are not read, and no samples', async () => {
    const header = '{"host": "a", "version": 1, "format": "ptq-agent-trace", "count": 2, "wrap_gap_us": 0.5}';
    const trace = await readTrace('a.log', lines(header, '{"t_us": 1}', '{"t_us": 1}'));
    expect(dueOf(trace)).toEqual([0, 0]);
    expect(trace).toMatchObject({ wrapGapNs: 500, source: { meanRate: null } });
    expect(trace).not.toHaveProperty('samples');
  });

  it('may have blank lines, CRLF, a byte order mark and no end of the last line', async () => {
    const trace = await readTrace('a.jsonl', '\ufeff{"t_us": 0}\r\n\r\n  \n{"t_us": 2}');
    expect(dueOf(trace)).toEqual([0, 2000]);
  });

  it('takes a batch of 1, which is what every query is', async () => {
    expect(dueOf(await readTrace('a.jsonl', lines('{"t_us": 0, "batch": 1}')))).toEqual([0]);
  });

  it.each([
    ['no JSON', ['{"t_us": 0}', '{"t_us": '], 2, undefined, /^the line is not JSON/],
    ['NaN', ['{"t_us": 0}', '{"t_us": NaN}'], 2, undefined, /^the line is not JSON/],
    ['an array', ['{"t_us": 0}', '', '[1]'], 3, undefined, 'the line holds an array of 1, not an object'],
    ['no time', ['{"t_us": 0}', '{"sample": 1}'], 2, 't_us', "the line has no 't_us'"],
    ['a text', ['{"t_us": "12"}'], 1, 't_us', "'t_us' is the text '12', not a number from 0"],
    ['null', ['{"t_us": null}'], 1, 't_us', "'t_us' is null, not a number from 0"],
    ['a negative time', ['{"t_us": -1}'], 1, 't_us', "'t_us' is -1, not a number from 0"],
    [
      'infinity',
      ['{"t_us": 1e400}'],
      1,
      't_us',
      "'t_us' is Infinity, which is more than can be told exactly",
    ],
    ['nanoseconds since 1970', ['{"t_us": 1.7e18}'], 1, 't_us', /more than can be told exactly/],
    [
      'a time that goes back',
      ['{"t_us": 5}', '{"t_us": 4}'],
      2,
      't_us',
      "'t_us' is 4, before the 5 of an earlier line",
    ],
    ['a sample that is none', ['{"t_us": 0, "sample": 1.5}'], 1, 'sample', /^'sample' is 1.5, not a whole/],
    ['a negative sample', ['{"t_us": 0, "sample": -1}'], 1, 'sample', /^'sample' is -1/],
    ['a sample as text', ['{"t_us": 0, "sample": "1"}'], 1, 'sample', /^'sample' is the text '1'/],
    [
      'a sample beyond 32 bits',
      ['{"t_us": 0, "sample": 4294967296}'],
      1,
      'sample',
      /^'sample' is 4294967296/,
    ],
    [
      'a line without sample',
      ['{"t_us": 0, "sample": 1}', '{"t_us": 1}'],
      2,
      'sample',
      /earlier lines have$/,
    ],
    [
      'a line with sample',
      ['{"t_us": 0}', '{"t_us": 1, "sample": 1}'],
      2,
      'sample',
      'earlier lines have no sample',
    ],
    [
      'a batch',
      ['{"t_us": 0, "batch": 4}'],
      1,
      'batch',
      "'batch' is 4, but a query is one run on one sample",
    ],
    ['a shape', ['{"t_us": 0, "shape_key": "a"}'], 1, 'shape_key', /^'shape_key' cannot be replayed/],
    ['an unknown field', ['{"t_us": 0, "smaple": 1}'], 1, 'smaple', "'smaple' is no field of a trace"],
    ['a late header', ['{"t_us": 0}', HEADER], 2, undefined, 'a header stands behind other lines'],
    ['two headers', [HEADER, HEADER], 2, undefined, 'a header stands behind other lines'],
    [
      'another header',
      ['{"format": "x", "t_us": 0}'],
      1,
      'format',
      "the header says that the format is the text 'x'",
    ],
    [
      'a version to come',
      ['{"format":"ptq-agent-trace","version":2}'],
      1,
      'version',
      /^the version of the trace is 2/,
    ],
    ['no version', ['{"format":"ptq-agent-trace"}'], 1, 'version', /^the version of the trace is missing/],
    [
      'a count that is none',
      ['{"format":"ptq-agent-trace","version":1,"count":-1}'],
      1,
      'count',
      "'count' is -1",
    ],
    [
      'a gap that is none',
      ['{"format":"ptq-agent-trace","version":1,"wrap_gap_us":"1"}'],
      1,
      'wrap_gap_us',
      /text '1'/,
    ],
    [
      'too few lines',
      ['{"format":"ptq-agent-trace","version":1,"count":2}', '{"t_us":0}'],
      undefined,
      'count',
      'the header announces 2 arrivals, but the file holds 1',
    ],
    [
      'more than 104 days',
      ['{"t_us": 0}', '{"t_us": 9007199254741}'],
      undefined,
      undefined,
      /takes more than 104 days$/,
    ],
  ])('is refused with %s', async (_what, rows, line, field, message) => {
    expect(await faultOf('a.jsonl', lines(...rows))).toMatchObject({
      kind: 'trace-invalid',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
      place: { ...(line === undefined ? {} : { line }), ...(field === undefined ? {} : { field }) },
    });
  });

  it('is refused where its last line was cut short', async () => {
    expect(await faultOf('a.jsonl', '{"t_us": 0}\n{"t_us": 12, "sam')).toMatchObject({
      message: 'the last line is not JSON and has no line ending: the file was cut short',
      place: { line: 2 },
    });
  });

  it('is empty with a header alone', async () => {
    expect(await faultOf('a.jsonl', lines(HEADER))).toMatchObject({ kind: 'trace-empty' });
  });
});
