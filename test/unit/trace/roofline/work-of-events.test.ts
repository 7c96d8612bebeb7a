import { describe, expect, it } from 'vitest';
import { mergeWork, workOfEvents } from '../../../../src/trace/roofline/work-of-events.ts';
import { modelRun, nodeEvent, type ProfileEvent } from '../../../support/profile-events.ts';
import { partEvents } from '../../../support/trace-events.ts';

type Span = readonly [number, number];

const shapes = (input: readonly object[], output: readonly object[]) => ({
  input_type_shape: input,
  output_type_shape: output,
});

const PRODUCT = shapes([{ float: [2, 3] }, { float: [3, 4] }], [{ float: [2, 4] }]);
const LARGER = shapes([{ float: [4, 3] }, { float: [3, 4] }], [{ float: [4, 4] }]);

const product = (name: string, span: Span, of: object = PRODUCT) =>
  nodeEvent(name, 'MatMul', span, { ...of });

/** One run after which nothing follows. */
const oneRun = (...nodes: readonly ProfileEvent[]) =>
  workOfEvents(partEvents([...nodes, modelRun([0, 100])]), 0);

describe('workOfEvents', () => {
  it('tells the work of a call by its shapes, and adds up calls of the same work whatever their nodes', () =>
    expect(oneRun(product('m', [0, 2]), product('other', [5, 3]))).toEqual({
      runs: 1,
      seconds: 100e-6,
      calls: [
        {
          op: 'MatMul',
          form: '',
          provider: 'CPUExecutionProvider',
          arithmetic: 'float32',
          calls: 2,
          seconds: expect.closeTo(5e-6, 12),
          flops: 2 * 2 * 3 * 4,
          bytes: 4 * (6 + 12 + 8),
        },
      ],
    }));

  it('leaves out the runs that warm up', () => {
    const runs = [0, 100, 200].flatMap((start) => [
      product('m', [start, start === 0 ? 50 : 2]),
      modelRun([start, start === 0 ? 90 : 10]),
    ]);
    expect(workOfEvents(partEvents(runs), 1)).toMatchObject({
      runs: 2,
      seconds: expect.closeTo(20e-6, 12),
      calls: [{ calls: 2, seconds: expect.closeTo(4e-6, 12) }],
    });
    expect(workOfEvents(partEvents(runs), 3)).toEqual({ runs: 0, seconds: 0, calls: [] });
    expect(workOfEvents(partEvents(runs), 9).runs).toBe(0);
  });

  it('keeps other shapes and kinds of arithmetic apart', () => {
    const codes = shapes([{ uint8: [2, 3] }, { int8: [3, 4] }], [{ int32: [2, 4] }]);
    const { calls } = oneRun(
      product('m', [0, 1]),
      product('m', [2, 1], LARGER),
      nodeEvent('i', 'MatMulInteger', [4, 1], codes),
    );
    expect(calls.map(({ flops, arithmetic }) => [flops, arithmetic])).toEqual([
      [48, 'float32'],
      [96, 'float32'],
      [48, 'int8'],
    ]);
  });

  it('takes the time of a body off the operator that holds it', () => {
    const { calls } = oneRun(
      product('before', [0, 3]),
      product('a', [11, 4]),
      product('b', [17, 1]),
      nodeEvent('loop', 'Loop', [16, 3]),
      nodeEvent('if', 'If', [10, 10]),
      product('after', [20, 5]),
    );
    const seconds = Object.fromEntries(calls.map((call) => [call.op, call.seconds]));
    expect(seconds).toEqual({
      MatMul: expect.closeTo(13e-6, 12),
      Loop: expect.closeTo(2e-6, 12),
      If: expect.closeTo(3e-6, 12),
    });
  });

  it('never has a negative time of an operator whose body was cut off to longer times', () => {
    const { calls } = oneRun(product('a', [10, 4]), nodeEvent('if', 'If', [10, 3]));
    expect(calls.find(({ op }) => op === 'If')?.seconds).toBe(0);
  });

  it('tells convolutions apart by their kernels, which the runtime may have packed away', () => {
    const listed = shapes([{ float: [1, 8, 4, 4] }, { float: [16, 8, 3, 3] }], [{ float: [1, 16, 2, 2] }]);
    const packed = shapes([{ float: [1, 8, 4, 4] }], [{ float: [1, 8, 4, 4] }]);
    const grey = shapes([{ float: [1, 1, 4, 4] }, { float: [16, 1, 3, 3] }], [{ float: [1, 16, 2, 2] }]);
    const facts = { weights: [{ type: 'float', dims: [8, 1, 1, 5] }] };
    const events = partEvents([
      nodeEvent('listed', 'Conv', [0, 1], listed),
      nodeEvent('packed', 'Conv', [2, 1], packed),
      nodeEvent('unknown', 'Conv', [4, 1], packed),
      nodeEvent('grey', 'Conv', [6, 1], grey),
      modelRun([0, 10]),
    ]);
    const { calls } = workOfEvents(events, 0, (node) => (node === 'packed' ? facts : undefined));
    expect(calls.map(({ form, flops }) => [form, flops === null])).toEqual([
      ['3×3', false],
      ['1×5 depthwise', false],
      ['', true],
      ['3×3', false],
    ]);
  });

  it('takes the times of shaders of the runs that count, in even parts where a node had several shapes', () => {
    const shader = (ts: number, dur: number) => ({ cat: 'Api', name: 'm&MatMul&MatMulTiled', ts, dur });
    const run = (start: number) => [
      product('m', [start, 1]),
      product('m', [start + 2, 1]),
      product('m', [start + 4, 1], LARGER),
      modelRun([start, 10]),
    ];
    const events = partEvents([
      ...run(0),
      ...run(100),
      shader(1, 777),
      shader(2, 777),
      shader(101, 40),
      shader(103, 20),
    ]);
    expect(workOfEvents(events, 1).calls.map(({ seconds }) => seconds)).toEqual([
      expect.closeTo(40e-6, 12),
      expect.closeTo(20e-6, 12),
    ]);
  });
});

describe('mergeWork', () => {
  it('has the runs and calls of all sessions', () => {
    const work = oneRun(product('m', [0, 2]));
    const merged = mergeWork([work, work]);
    expect(merged).toEqual({ runs: 2, seconds: 200e-6, calls: [...work.calls, ...work.calls] });
  });
});
