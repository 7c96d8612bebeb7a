import { describe, expect, it } from 'vitest';
import { readOutput } from '../../../../src/evaluation/tasks/read-output.ts';
import { tensor } from './metric-cases.ts';

const ITEM = { index: 7 };

describe('readOutput', () => {
  const given = { a: tensor([1, 2]), b: tensor([3, 4, 5], [1, 3, 1]) };

  it('takes the first of the outputs of numbers', () => {
    expect(readOutput(given, { outputs: ['a', 'b'] }, ITEM)).toEqual({
      ok: true,
      value: { name: 'a', dims: [1, 2], values: Float64Array.of(1, 2) },
    });
  });

  it('takes the output that is named', () => {
    const read = readOutput(given, { outputs: ['a', 'b'], output: 'b' }, ITEM);
    expect(read).toMatchObject({ ok: true, value: { name: 'b', dims: [1, 3, 1] } });
  });

  it('turns other element types into numbers', () => {
    const long = { type: 'int64', dims: [2], data: BigInt64Array.of(-1n, 9n) } as const;
    expect(readOutput({ long }, { outputs: ['long'] }, ITEM)).toMatchObject({
      value: { values: Float64Array.of(-1, 9) },
    });
  });

  it('names the outputs that there are when the one asked for is missing', () => {
    const read = readOutput(given, { outputs: ['a'], output: 'scores' }, ITEM);
    expect(read).toMatchObject({
      ok: false,
      error: { kind: 'output-missing', place: { tensor: 'scores', sample: 7 } },
    });
    expect(read.ok ? '' : read.error.message).toContain('a, b');
    expect(readOutput(given, { outputs: ['toString'] }, ITEM)).toMatchObject({
      error: { kind: 'output-missing' },
    });
  });

  it('refuses a model without outputs of numbers, and an output of text', () => {
    const text = { type: 'string', dims: [1], data: ['yes'] } as const;
    expect(readOutput({ text }, { outputs: [] }, ITEM)).toMatchObject({
      error: { kind: 'output-missing', place: { sample: 7 } },
    });
    expect(readOutput({ text }, { outputs: [], output: 'text' }, ITEM)).toMatchObject({
      error: { kind: 'output-unsupported', place: { tensor: 'text', sample: 7 } },
    });
  });
});
