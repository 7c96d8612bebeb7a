import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readArrivalTrace } from '../../../../src/benchmark/traces/read-arrival-trace.ts';
import { scanTraceLines, type TraceLine } from '../../../../src/benchmark/traces/trace-file.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { dueOf, faultOf, readTrace, traceFile } from './trace-file-of.ts';

describe('a file that is no trace', () => {
  it.each([
    ['gzip', gzipSync('{"t_us": 0}\n'), 'the file is compressed with gzip', 'unpack it first, with gunzip'],
    ['zip', Buffer.from('PK\x03\x04abc'), 'the file is a zip archive', /unpack it first/],
    ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0]), 'the file is compressed with zstd', /unzstd/],
    ['UTF-16', Buffer.from('\ufeff{"t_us": 0}', 'utf16le'), 'the file is text in UTF-16', 'save it in UTF-8'],
    ['binary', Buffer.from([0x7b, 0, 1, 2]), 'the file is binary: it holds a zero byte', /text file/],
  ])(
    'is told to be %s, whatever its name and the format that is asked for',
    async (_what, bytes, message, hint) => {
      for (const options of [{}, { format: 'mooncake' } as const]) {
        expect(await faultOf('a.jsonl', bytes, options)).toMatchObject({
          kind: 'trace-invalid',
          message,
          hint: typeof hint === 'string' ? hint : expect.stringMatching(hint),
        });
      }
    },
  );

  it('is empty', async () => {
    expect(await faultOf('a.jsonl', '')).toMatchObject({
      kind: 'trace-empty',
      message: 'the trace holds no arrivals',
    });
    expect(await faultOf('a.txt', '\n \n')).toMatchObject({ kind: 'trace-empty' });
  });

  it('is not there, or a folder', async () => {
    const missing = await readArrivalTrace('/none/a.jsonl');
    expect(missing).toMatchObject({
      ok: false,
      error: { kind: 'trace-unreadable', message: 'the trace cannot be read: it does not exist' },
    });
    expect(await readArrivalTrace(temporaryFolder())).toMatchObject({
      ok: false,
      error: { kind: 'trace-unreadable', message: 'the trace cannot be read: it is not a regular file' },
    });
  });

  it('turns binary, or no UTF-8, far behind its beginning', async () => {
    const start = '{"t_us": 1}\n'.repeat(200_000);
    const zero = Buffer.concat([Buffer.from(start), Buffer.from([0x7b, 0, 0x0a])]);
    expect(await faultOf('a.jsonl', zero)).toMatchObject({
      message: 'the file is binary: it holds a zero byte',
      place: { line: 200_001 },
    });
    const latin = Buffer.concat([Buffer.from(start), Buffer.from('{"\xe9": 1}\n{"t_us": 1}\n', 'latin1')]);
    expect(await faultOf('a.jsonl', latin)).toMatchObject({
      message: 'the line is not UTF-8',
      place: { line: 200_001 },
    });
  });
});

describe('the lines of a trace', () => {
  it('come whole and numbered, wherever the blocks of the file end', async () => {
    // Lines of many lengths, with letters of two bytes, over several blocks of 1 MiB.
    const rows = Array.from({ length: 4000 }, (_, at) => `${at} ${'é'.repeat((at * 37) % 997)}`);
    const seen: TraceLine[] = [];
    await scanTraceLines(traceFile('a.txt', rows.join('\n')), (line) => seen.push(line));
    expect(seen.map(({ text }) => text)).toEqual(rows);
    expect(seen.every(({ line }, at) => line === at + 1)).toBe(true);
    expect(seen.filter(({ isLast }) => isLast).map(({ line }) => line)).toEqual([4000]);
  });

  it('may be longer than a block, and not longer than 64 MiB', async () => {
    const seen: number[] = [];
    const long = 'x'.repeat(3 * 2 ** 20);
    await scanTraceLines(traceFile('a.txt', `${long}\nb\n`), ({ text }) => seen.push(text.length));
    expect(seen).toEqual([long.length, 1]);
    const endless = Buffer.concat([
      Buffer.from('{"t_us": 1}\n{"x": "'),
      Buffer.alloc(2 ** 26 + 2 ** 21, 0x61),
    ]);
    expect(await faultOf('a.jsonl', endless)).toMatchObject({
      message: 'the line is longer than 64 MiB',
      place: { line: 2 },
    });
  });
});

describe('the format of a trace', () => {
  const MOONCAKE = '{"timestamp": 5, "input_length": 1, "output_length": 1, "hash_ids": [0]}\n';

  it.each([
    ['a', '\n{"t_us": 5}\n', 'ptq-agent'],
    ['a.json', '{"t_us": 5}\n', 'ptq-agent'],
    ['a.txt', '{"version": 1, "format": "ptq-agent-trace"}\n{"t_us": 5}\n', 'ptq-agent'],
    ['a.csv', '12\n', 'request-intervals'],
    ['a', '{"data": [{"timestamp": [5]}]}', 'fixed-schedule'],
    ['a', '{\n  "data": [\n {"timestamp": [5]}]}', 'fixed-schedule'],
    ['a', '{"note": 1, "data": [{"timestamp": [5]}]}', 'fixed-schedule'],
    ['a', `{"data": [{"timestamp": [5], "x": [${'1,'.repeat(70_000)}1]}]}`, 'fixed-schedule'],
    ['a', `{"timestamp": 5, "messages": [{"a": "${'x'.repeat(70_000)}"}]}\n`, 'aiperf'],
    ['a', '{"timestamp": 5, "payload": {"data": [1]}}\n', 'aiperf'],
    ['a.json', '{\n"note": 1,\n"data": [{"timestamp": [5]}]}', 'fixed-schedule'],
    ['a.json', MOONCAKE, 'mooncake'],
    ['a.jsonl', '{"timestamp": 5, "input_length": 1}\n', 'aiperf'],
    ['a.jsonl', '{"timestamp": 5, "hash_ids": [1], "session_id": "a"}\n', 'aiperf'],
    ['a', '\ufeff"TIMESTAMP",ContextTokens\n2023-01-01 00:00:00,1\n', 'azure-llm'],
    ['a', 'TIMESTAMP\n2023-01-01 00:00:00\n', 'azure-llm'],
  ])('of %s with %s is %s', async (name, content, format) => {
    const told = (await readTrace(name, content)).source.format;
    expect(told).toBe(format);
  });

  it.each([
    ['a.txt', 'hello\n', "'hello' is not a whole number of microseconds"],
    ['a.CSV', 'time,n\n', "the first line names no column 'TIMESTAMP'"],
    ['a.json', '[1]\n', /not JSON from line 1, column 1 on: an object was expected/],
  ])(
    'is that of the name where the first line does not tell it: %s with %j',
    async (name, content, message) => {
      expect(await faultOf(name, content)).toMatchObject({
        message: typeof message === 'string' ? message : expect.stringMatching(message),
      });
    },
  );

  it('is unknown where nothing tells it, and then its name helps', async () => {
    expect(await faultOf('a.log', '0.5\n')).toMatchObject({
      kind: 'trace-format-unknown',
      hint: 'name the format of the trace: ptq-agent, request-intervals, fixed-schedule, mooncake, aiperf, azure-llm',
    });
    expect(await faultOf('a.jsonl', '{"time": 1}\n')).toMatchObject({ kind: 'trace-format-unknown' });
    expect((await readTrace('a.jsonl', MOONCAKE, { format: 'aiperf' })).source.format).toBe('aiperf');
    expect(dueOf(await readTrace('a.log', '\n7\n', { format: 'request-intervals' }))).toEqual([0]);
  });
});
