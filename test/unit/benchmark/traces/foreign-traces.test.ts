import { describe, expect, it } from 'vitest';
import { dueOf, faultOf, readTrace } from './trace-file-of.ts';

const lines = (...rows: readonly string[]) => `${rows.join('\n')}\n`;
const MS = 1e6;

describe('request intervals of perf_analyzer', () => {
  it('are gaps before each request, of which the first is that before a repetition', async () => {
    // The example of its documentation: requests at 0.1, 0.3, 0.8 s, and then at 0.9, 1.1, 1.6 s.
    const trace = await readTrace('intervals.txt', '100000\n200000\n500000\n');
    expect(dueOf(trace)).toEqual([0, 200 * MS, 700 * MS]);
    expect(trace.wrapGapNs).toBe(100 * MS);
  });

  it('may be 0, and stand in a file of any name', async () => {
    expect(dueOf(await readTrace('gaps', ' 7 \r\n0\r\n5'))).toEqual([0, 0, 5000]);
  });

  it.each(['1.5', '-1', '1e3', 'NaN', 'Infinity', '0x10', '12 13', '99999999999999999999', '"5"'])(
    'are refused with %s',
    async (text) => {
      expect(await faultOf('a.txt', lines('1', '', text))).toMatchObject({
        kind: 'trace-invalid',
        message: `'${text}' is not a whole number of microseconds`,
        place: { line: 3 },
      });
    },
  );
});

describe('a fixed schedule of perf_analyzer', () => {
  it('is a list of entries with a time in milliseconds, in order or not', async () => {
    const schedule = { data: [{ timestamp: [2000] }, { payload: [{ x: [1, 2] }], timestamp: [1000.5] }] };
    for (const indent of [undefined, 2]) {
      const trace = await readTrace('a.json', JSON.stringify(schedule, undefined, indent));
      expect(dueOf(trace)).toEqual([0, 999.5 * MS]);
      expect(trace).not.toHaveProperty('samples');
      expect(trace.source).toMatchObject({
        format: 'fixed-schedule',
        notes: ['1 of 2 arrivals were out of order and have been sorted'],
      });
    }
  });

  it('takes the entry at its own position where it holds inputs of a model, and arrivals at one time in their order', async () => {
    const times = [3, 1, 2, 1, 3];
    const data = times.map((time, at) => ({ INPUT0: [at], timestamp: [time] }));
    const trace = await readTrace('a.json', JSON.stringify({ validation_data: [], data }));
    expect(dueOf(trace)).toEqual([0, 0, MS, 2 * MS, 2 * MS]);
    expect(trace.samples).toEqual(Uint32Array.of(1, 3, 2, 0, 4));
  });

  it.each([
    ['no list', '{"data": {}}', '/data', "the file has no list 'data'"],
    ['no data', '{"dat": []}', '/data', "the file has no list 'data'"],
    ['no time', '{"data": [{"timestamp": [0]}, {"x": [1]}]}', '/data/1/timestamp', /is missing, not a list/],
    ['a lone number', '{"data": [{"timestamp": 5}]}', '/data/0/timestamp', /is 5, not a list of one number$/],
    ['two times', '{"data": [{"timestamp": [5, 6]}]}', '/data/0/timestamp', /is an array of 2, not/],
    [
      'a text',
      '{"data": [{"timestamp": ["5"]}]}',
      '/data/0/timestamp',
      /is the text '5', not a number from 0$/,
    ],
    ['a negative time', '{"data": [{"timestamp": [-5]}]}', '/data/0/timestamp', /is -5/],
    ['no object', '{"data": [7]}', '/data/0', 'entry 0 is 7, not an object'],
    ['streams', '{"data": [[{"timestamp": [5]}]]}', '/data/0', /^entry 0 is a list of steps/],
    ['no JSON within', '{"data": [{"timestamp": [NaN]}]}', '/data/0', /^entry 0 is not JSON/],
    [
      'inputs at first',
      '{"data": [{"x":[1],"timestamp":[0]}, {"timestamp":[0]}]}',
      '/data/1',
      /before it some$/,
    ],
    [
      'inputs later',
      '{"data": [{"timestamp":[0]}, {"x":[1],"timestamp":[0]}]}',
      '/data/1',
      /before it none$/,
    ],
    [
      'a cut end',
      '{"data": [{"timestamp": [0]},\n{"timest',
      undefined,
      /from line 2, column 9 on: the file ends/,
    ],
  ])('is refused with %s', async (_what, text, field, message) => {
    expect(await faultOf('a.json', text, { format: 'fixed-schedule' })).toMatchObject({
      kind: 'trace-invalid',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
      place: field === undefined ? { line: 2 } : { field },
    });
  });

  it('is refused with bytes that are no text, and empty without an entry', async () => {
    const latin = Buffer.from('{"data": [{"timestamp": [0], "x": ["\xe9"]}]}', 'latin1');
    expect(await faultOf('a.json', latin)).toMatchObject({ message: 'entry 0 is not UTF-8' });
    expect(await faultOf('a.json', '{"data": []}')).toMatchObject({ kind: 'trace-empty' });
  });
});

describe('a trace of Mooncake', () => {
  it('is replayed by its milliseconds alone, and says so', async () => {
    const trace = await readTrace(
      'conversation_trace.jsonl',
      lines(
        '{"timestamp": 3000, "input_length": 6758, "output_length": 500, "hash_ids": [0, 1]}',
        '{"timestamp": 0, "input_length": 7322, "output_length": 490, "hash_ids": [0, 14]}',
        '{"timestamp": 3052, "input_length": 7234, "output_length": 794, "hash_ids": [0, 28]}',
      ),
    );
    expect(dueOf(trace)).toEqual([0, 3000 * MS, 3052 * MS]);
    expect(trace.source).toMatchObject({
      format: 'mooncake',
      notes: [
        '1 of 3 arrivals were out of order and have been sorted',
        "only arrivals are replayed, not 'input_length', 'output_length', 'hash_ids'",
      ],
    });
  });

  it('is refused where a line has no time', async () => {
    const rows = lines('{"timestamp": 0, "hash_ids": [1]}', '{"input_length": 5}');
    expect(await faultOf('a.jsonl', rows)).toMatchObject({
      message: "the line has no 'timestamp'",
      place: { line: 2, field: 'timestamp' },
      hint: 'write the time in milliseconds, as a number',
    });
  });
});

describe('a fixed schedule of AIPerf', () => {
  it('is replayed by its milliseconds, which may have fractions', async () => {
    const trace = await readTrace(
      'schedule.jsonl',
      lines('{"timestamp": 0, "text_input": "a"}', '{"timestamp": 0.5, "session_id": "s", "delay": null}'),
    );
    expect(dueOf(trace)).toEqual([0, 500_000]);
    expect(trace.source).toMatchObject({
      format: 'aiperf',
      notes: ["only arrivals are replayed, not 'text_input', 'session_id', 'delay'"],
    });
  });

  it('has no note where there is nothing but times', async () => {
    expect((await readTrace('a.jsonl', lines('{"timestamp": 0}'))).source.notes).toEqual([]);
  });

  it('is refused where a request waits for an answer', async () => {
    const rows = lines('{"session_id": "a", "timestamp": 0}', '{"session_id": "a", "delay": 2}');
    expect(await faultOf('a.jsonl', rows)).toMatchObject({
      message: expect.stringMatching(/^'delay' counts from the answer before/),
      place: { line: 2, field: 'delay' },
    });
  });
});

describe('a trace of Azure', () => {
  const HEADER = 'TIMESTAMP,ContextTokens,GeneratedTokens';

  it('keeps all seven digits of its times', async () => {
    const trace = await readTrace(
      'AzureLLMInferenceTrace_code.csv',
      lines(
        HEADER,
        '2023-11-16 18:15:46.6805900,4808,10',
        '2023-11-16 18:15:46.6805901,1,1',
        '2023-11-17 00:00:00.0000001,1,1',
      ),
    );
    expect(dueOf(trace)).toEqual([0, 100, 20_653_319_410_100]);
    expect(trace.source).toMatchObject({
      format: 'azure-llm',
      notes: ["only arrivals are replayed, not 'ContextTokens', 'GeneratedTokens'"],
    });
  });

  it('may have zones, no fractions, quotes and more columns, and be out of order', async () => {
    const trace = await readTrace(
      'a.csv',
      lines(
        'NumImages,"TIMESTAMP"',
        '1,2024-05-12 00:00:00.5+00:00',
        '1,"2024-05-12T02:00:00+02:00"',
        '1,2024-05-12 05:30:01+0530',
        '1,2024-05-12 00:00:03Z',
      ),
    );
    expect(dueOf(trace)).toEqual([0, 500 * MS, 1000 * MS, 3000 * MS]);
    expect(trace.source.notes[0]).toBe('1 of 4 arrivals were out of order and have been sorted');
  });

  it('knows leap days and the ends of years', async () => {
    const rows = lines('TIMESTAMP', '2023-12-31 23:59:59', '2024-01-01 00:00:00', '2024-02-29 12:00:00');
    expect(dueOf(await readTrace('a.csv', rows)).map((due) => due / 1e9)).toEqual([0, 1, 59.5 * 86_400 + 1]);
  });

  it.each([
    ['no such column', ['time,tokens', '1,2'], 1, "the first line names no column 'TIMESTAMP'"],
    [
      'a line cut short',
      [HEADER, '2023-11-16 18:15:46.6805900,48'],
      2,
      'the line has 2 columns, the header 3',
    ],
    ['no date', [HEADER, '1700000000,1,1'], 2, "'1700000000' is no date and time"],
    ['no time', [HEADER, ',1,1'], 2, "'' is no date and time"],
    ['a day that is none', [HEADER, '2023-02-29 00:00:00,1,1'], 2, /is no date/],
    ['a month that is none', [HEADER, '2023-13-01 00:00:00,1,1'], 2, /is no date/],
    ['an hour that is none', [HEADER, '2023-01-01 24:00:00,1,1'], 2, /is no date/],
    ['a second that is none', [HEADER, '2023-01-01 00:00:60,1,1'], 2, /is no date/],
    [
      'one zone',
      [HEADER, '2023-01-01 00:00:00,1,1', '2023-01-01 00:00:00Z,1,1'],
      3,
      /^some times have a zone/,
    ],
    [
      '104 days',
      [HEADER, '2023-01-01 00:00:00,1,1', '2023-06-01 00:00:00,1,1'],
      undefined,
      /more than 104 days$/,
    ],
  ])('is refused with %s', async (_what, rows, line, message) => {
    expect(await faultOf('a.csv', lines(...rows))).toMatchObject({
      kind: 'trace-invalid',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
      ...(line === undefined ? {} : { place: { line } }),
    });
  });

  it('is empty with a header alone', async () => {
    expect(await faultOf('a.csv', HEADER)).toMatchObject({ kind: 'trace-empty' });
  });
});
