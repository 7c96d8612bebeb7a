import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProfileColumns } from '../../../../src/runtime/profile/profile-columns.ts';
import { parseProfile, readProfile } from '../../../../src/runtime/profile/read-profile.ts';
import {
  graphRun,
  modelRun,
  nodeEvent,
  type ProfileEvent,
  profileText,
} from '../../../support/profile-events.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';

const SHAPES = { input_type_shape: [{ float: [1, 4] }], output_type_shape: [{ float: [1, 2] }] };
const EVENTS: readonly ProfileEvent[] = [
  nodeEvent('/fc/MatMul', 'MatMul', [120, 30], { ...SHAPES, output_size: '8', parameter_size: '32' }),
  graphRun([118, 40]),
  modelRun([110, 50]),
];

const parse = (text: string) => unwrap(parseProfile(Buffer.from(text)));

/** Rows with what their kinds tell. */
function rowsOf({ count, kinds, kindList, startsUs, durationsUs }: ProfileColumns) {
  return Array.from({ length: count }, (_, row) => ({
    category: kindList[kinds[row] as number]?.category,
    name: kindList[kinds[row] as number]?.name,
    startUs: startsUs[row],
    durationUs: durationsUs[row],
  }));
}

describe('a profile of the runtime', () => {
  it('is read into columns, in the order of its events', () => {
    const columns = parse(profileText(EVENTS));
    expect(rowsOf(columns)).toEqual([
      { category: 'node', name: '/fc/MatMul', startUs: 120, durationUs: 30 },
      { category: 'session', name: 'SequentialExecutor::Execute', startUs: 118, durationUs: 40 },
      { category: 'session', name: 'model_run', startUs: 110, durationUs: 50 },
    ]);
    expect(columns.kindList[0]).toEqual({
      category: 'node',
      name: '/fc/MatMul',
      op: 'MatMul',
      provider: 'CPUExecutionProvider',
      inputShapes: '[{"float":[1,4]}]',
      outputShapes: '[{"float":[1,2]}]',
      outputBytes: 8,
      parameterBytes: 32,
      details: {},
    });
    expect([...columns.threads]).toEqual([7, 7, 7]);
    expect(columns).toMatchObject({ isTruncated: false, unreadable: 0 });
    expect(columns.memory).toBeUndefined();
  });

  it('is read the same whatever stands between its parts', () => {
    const json = JSON.stringify(JSON.parse(profileText(EVENTS)));
    const spaced = JSON.stringify(JSON.parse(profileText(EVENTS)), null, '\t').replaceAll('\n', '\r\n');
    const expected = rowsOf(parse(profileText(EVENTS)));
    for (const text of [json, spaced, `\uFEFF ${json}`]) {
      expect(rowsOf(parse(text))).toEqual(expected);
      expect(parse(text).kindList[0]?.inputShapes).toBe('[{"float":[1,4]}]');
    }
  });

  it('has one kind for events that differ in the order of their arguments, and in figures of memory', () => {
    const args = { output_size: '8', mem_bytes_in_use: '100', ...SHAPES };
    const turned = Object.fromEntries([...Object.entries(args)].reverse());
    const columns = parse(
      profileText([
        nodeEvent('a', 'Add', [1, 2], args),
        nodeEvent('a', 'Add', [5, 2], { ...turned, mem_bytes_in_use: '200' }),
        nodeEvent('b', 'Add', [8, 2], args),
        nodeEvent('a', 'Add', [9, 2], { ...args, output_type_shape: [{ float: [2, 2] }] }),
        nodeEvent('a', 'Add', [12, 2], {
          ...args,
          input_type_shape: SHAPES.output_type_shape,
          output_type_shape: SHAPES.input_type_shape,
        }),
      ]),
    );
    expect([...columns.kinds]).toEqual([0, 0, 1, 2, 3]);
    expect([...(columns.memory?.inUse ?? [])]).toEqual([100, 200, 100, 100, 100]);
  });

  it('tells of memory what the runtime does', () => {
    const memory = {
      mem_bytes_in_use: '4096',
      mem_in_use_delta: '-512',
      mem_in_use_peak: '9000',
      mem_arena_held: '16384',
    };
    const columns = parse(profileText([nodeEvent('a', 'Add', [1, 2], memory), modelRun([0, 4])]));
    expect(columns.memory).toEqual({
      inUse: Float64Array.of(4096, Number.NaN),
      growth: Float64Array.of(-512, Number.NaN),
      peak: Float64Array.of(9000, Number.NaN),
      held: Float64Array.of(16384, Number.NaN),
    });
  });

  it('tells which threads of the pool did how many blocks, as far as they did any', () => {
    const stats = (first: number, second: number) => ({
      thread_scheduling_stats: {
        main_thread: { thread_pool_name: 'session-1-intra-op', block_size: [1], core: 0, Run: 257 },
        sub_threads: { '1398': { num_run: first, core: 1 }, '1399': { num_run: second, core: -1 } },
      },
    });
    const none = { thread_scheduling_stats: '' };
    const { workers } = parse(
      profileText([
        nodeEvent('a', 'Conv', [1, 2], stats(0, 3)),
        nodeEvent('b', 'Conv', [4, 2], none),
        nodeEvent('c', 'Conv', [7, 2], stats(2, 10)),
      ]),
    );
    expect(workers).toMatchObject({ count: 3, threads: ['1399', '1398'] });
    expect([...workers.events]).toEqual([0, 2, 2]);
    expect([...workers.workers]).toEqual([0, 1, 0]);
    expect([...workers.blocks]).toEqual([3, 2, 10]);
  });

  it.each([
    ['quotes', 'say "no", now', 'say "no", now'],
    ['a quote and what looks like another member', 'a","b', 'a","b'],
    ['backslashes', 'a\\b\\d\\', 'a\\b\\d\\'],
    ['letters of many alphabets', 'Faltung/卷积/😀', 'Faltung/卷积/😀'],
    ['nothing', '', ''],
  ])('has names with %s', (_, name, read) => {
    const columns = parse(profileText([nodeEvent(name, 'Conv', [1, 2]), modelRun([0, 4])]));
    expect(rowsOf(columns).map((row) => row.name)).toEqual([read, 'model_run']);
    expect(columns.unreadable).toBe(0);
  });

  it('has escaped names where its writer escaped them', () => {
    const names = ['a "b"\\\u00e9\n', 'a\\b', 'a"b'];
    const events = names.map((name) => ({ ...nodeEvent('', '', [1, 2]), name: `${name}_kernel_time` }));
    expect(parse(JSON.stringify(events)).kindList.map(({ name }) => name)).toEqual(names);
  });

  it('leaves out what is no work: events without a time, and those between kernels of older versions', () => {
    const events = [
      { ph: 'M' },
      {},
      { ...nodeEvent('a', 'Add', [1, 2]), dur: 'long' },
      { ...nodeEvent('a', 'Add', [1, 2]), cat: 'Other' },
      { ...nodeEvent('a', 'Add', [1, 2]), name: 'a_fence_before' },
      nodeEvent('b', 'Add', [3, 4]),
    ];
    expect(rowsOf(parse(JSON.stringify(events))).map(({ name }) => name)).toEqual(['b']);
  });

  it('that ends in the middle is read up to there, and says so', () => {
    const text = profileText(EVENTS);
    const cut = text.slice(0, text.indexOf('"name" :"model_run"'));
    const columns = parse(cut);
    expect(columns.count).toBe(2);
    expect(columns.isTruncated).toBe(true);
    expect(parse(profileText(EVENTS, '')).isTruncated).toBe(true);
  });

  it('with an event that is no JSON loses that one, and counts it', () => {
    const lines = profileText(EVENTS).split('\n');
    const broken = [lines[0], '{"cat" : "Node", 5, "ts" :3},', ...lines.slice(1)].join('\n');
    const columns = parse(broken);
    expect(columns).toMatchObject({ count: 3, unreadable: 1, isTruncated: false });
  });

  it.each(['', ' \n', '{"traceEvents": []}', 'null'])('is none in %j', (text) => {
    expect(parseProfile(Buffer.from(text))).toMatchObject({
      ok: false,
      error: { kind: 'profile-unreadable' },
    });
  });

  it('may be empty', () => {
    expect(parse('[\n]\n')).toMatchObject({ count: 0, isTruncated: false });
  });

  it('has kinds without shapes once there are very many', () => {
    const events = Array.from({ length: 50_010 }, (_, index) =>
      nodeEvent('a', 'Add', [index, 1], { input_type_shape: [{ float: [index] }] }),
    );
    const { kindList, kinds } = parse(profileText(events));
    expect(kindList).toHaveLength(50_001);
    expect(kindList[49_999]?.inputShapes).toBe('[{"float":[49999]}]');
    expect(kindList[50_000]?.inputShapes).toBe('[]');
    expect(kinds[50_009]).toBe(50_000);
  });

  it('of any size is read from a file, wherever blocks of it end', async () => {
    const folder = temporaryFolder();
    // Longer than a block, and one event longer than what is read at once.
    const events = Array.from({ length: 3000 }, (_, index) =>
      nodeEvent(`node${index % 7}`, 'Conv', [index * 10, index % 10], {
        comment: 'x'.repeat(index === 1500 ? 3_000_000 : (index * 37) % 1500),
        output_size: '8',
      }),
    );
    const file = join(folder, 'profile.json');
    writeFileSync(file, profileText([...events, modelRun([0, 30_000])]));
    const columns = unwrap(await readProfile(file));
    expect(columns.count).toBe(3001);
    expect(columns.kindList).toHaveLength(8);
    expect(rowsOf(columns).map(({ startUs }) => startUs)).toEqual([...events.map(({ ts }) => ts), 0]);
    expect(rowsOf(columns).map(({ durationUs }) => durationUs)).toEqual([
      ...events.map(({ dur }) => dur),
      30_000,
    ]);
  });

  it('that is not there is a problem that names the file', async () => {
    const file = join(temporaryFolder(), 'none.json');
    expect(await readProfile(file)).toMatchObject({
      ok: false,
      error: { kind: 'profile-unreadable', place: { file } },
    });
  });

  it('gives what a parser of JSON gives, for all events that are JSON', () => {
    const name = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\u0000'));
    const event = fc.record({
      cat: fc.constantFrom('Node', 'Session', 'Api'),
      ts: fc.nat(),
      dur: fc.nat(),
      name: name.map((text) => `${text}_kernel_time`),
      other: fc.jsonValue(),
      args: fc.record({ op_name: name, provider: name, other: fc.jsonValue() }, { requiredKeys: [] }),
    });
    fc.assert(
      fc.property(fc.array(event), fc.constantFrom(undefined, ' ', '\n'), (events, indent) => {
        const { count, kinds, kindList, startsUs, durationsUs } = parse(JSON.stringify(events, null, indent));
        expect(count).toBe(events.length);
        for (const [row, { cat, ts, dur, name: written, args }] of events.entries()) {
          const kind = kindList[kinds[row] as number];
          expect([startsUs[row], durationsUs[row]]).toEqual([ts, dur]);
          expect(kind?.category).toBe(cat.toLowerCase());
          expect(kind?.name).toBe(cat === 'Node' ? written.slice(0, -'_kernel_time'.length) : written);
          expect(kind?.op).toBe(args.op_name ?? '');
          expect(kind?.provider).toBe(args.provider ?? '');
        }
      }),
      { numRuns: 40 },
    );
  });
});
