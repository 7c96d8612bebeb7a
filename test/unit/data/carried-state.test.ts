import { describe, expect, it } from 'vitest';
import type { NamedTensors, Tensor } from '../../../src/core/tensor.ts';
import { type CarriedState, carryStates } from '../../../src/data/carried-state.ts';
import { initialStates, type StatefulModel } from '../../../src/data/initial-states.ts';
import { pairedOutput } from '../../../src/data/paired-output.ts';
import type { ModelInput } from '../../../src/data/sample-source.ts';

function float(...values: number[]): Tensor {
  return { type: 'float32', dims: [values.length], data: Float32Array.from(values) };
}

/** Adds input `x` to the state `s`. */
async function accumulate(feeds: NamedTensors): Promise<NamedTensors> {
  const [x, s] = [feeds['x'], feeds['s']].map((tensor) => Number(tensor?.data[0]));
  return { sum: float((x as number) + (s as number)) };
}

const STATE: CarriedState = { output: 'sum', input: 's' };

describe('carryStates', () => {
  it('feeds an output as the input of the next run, until feeds bring the input themselves', async () => {
    const run = carryStates(accumulate, [STATE]);
    const sums: unknown[] = [];
    const start = { s: float(0) };
    for (const feeds of [
      { x: float(1), ...start },
      { x: float(2) },
      { x: float(4) },
      { x: float(8), ...start },
    ]) {
      sums.push((await run(feeds))['sum']?.data[0]);
    }
    expect(sums).toEqual([1, 3, 7, 8]);
  });

  it('carries apart what was wrapped apart', async () => {
    const [a, b] = [carryStates(accumulate, [STATE]), carryStates(accumulate, [STATE])];
    await a({ x: float(1), s: float(100) });
    await b({ x: float(1), s: float(0) });
    expect((await a({ x: float(1) }))['sum']?.data[0]).toBe(102);
  });

  it('keeps the last state when a run fails', async () => {
    let fails = false;
    const run = carryStates(
      async (feeds) => {
        if (fails) throw new Error('refused');
        return accumulate(feeds);
      },
      [STATE],
    );
    await run({ x: float(5), s: float(0) });
    fails = true;
    await expect(run({ x: float(1) })).rejects.toThrow('refused');
    fails = false;
    expect((await run({ x: float(1) }))['sum']?.data[0]).toBe(6);
  });

  it('leaves a model without states alone', () => {
    expect(carryStates(accumulate)).toBe(accumulate);
    expect(carryStates(accumulate, [])).toBe(accumulate);
  });
});

function port(name: string, dims: ModelInput['dims'], type: ModelInput['type'] = 'float32'): ModelInput {
  return dims === undefined ? { name, type } : { name, type, dims };
}

function start(
  stateDims: ModelInput['dims'],
  more: Partial<StatefulModel> & {
    readonly given?: readonly number[];
    readonly outputDims?: ModelInput['dims'];
  } = {},
) {
  const { given, outputDims, ...rest } = more;
  const found = initialStates({
    states: [{ output: 'hn', input: 'h', ...(given === undefined ? {} : { dims: given }) }],
    modelInputs: [port('x', ['batch', 'frames']), port('h', stateDims)],
    modelOutputs: [port('y', ['batch', 1]), port('hn', outputDims)],
    fed: [{ name: 'x', dims: [1, 512] }],
    ...rest,
  });
  return found.ok ? found.value['h']?.dims : found.error;
}

describe('initialStates', () => {
  it('are zeros of the type and dimensions that the model gives', () => {
    const found = initialStates({
      states: [{ output: 'hn', input: 'h' }],
      modelInputs: [port('h', [2, 'batch', 3], 'float16')],
      fed: [],
    });
    expect(found).toEqual({
      ok: true,
      value: { h: { type: 'float16', dims: [2, 1, 3], data: new Uint16Array(6) } },
    });
  });

  it.each([
    ['the size that the name has in what is fed', ['batch', 'frames'], undefined, [1, 512]],
    ['the size that the output has', [2, 'h'], [2, 64], [2, 64]],
    ['1 for a batch', [2, 'decoder_batch_size', 64], undefined, [2, 1, 64]],
    ['1 for the only dimension without a name', [-1, 64], undefined, [1, 64]],
    ['no dimensions for a scalar', [], undefined, []],
  ] as const)('have %s', (_, dims, outputDims, expected) => {
    expect(start(dims, { outputDims })).toEqual(expected);
  });

  it.each([
    [[2, 'batch', 'hidden'], "the dimension 'hidden'", '--state hn=h:2x1x1'],
    [[-1, '', 64], 'dimension 0', '--state hn=h:1x1x64'],
  ] as const)('of [%s] have to be given by hand', (dims, named, hint) => {
    expect(start(dims)).toMatchObject({
      kind: 'state-shape-unknown',
      message: expect.stringContaining(named),
      place: { tensor: 'h' },
      hint: expect.stringContaining(hint),
    });
    expect(start(dims, { given: [2, 1, 64] })).toEqual([2, 1, 64]);
  });

  it('may be empty, as a cache is before its first token', () => {
    expect(start([1, 8, 'past', 64], { given: [1, 8, 0, 64] })).toEqual([1, 8, 0, 64]);
  });

  it.each([
    ['other dimensions than the model has', { given: [3, 1, 64] }, 'the state is given as [3,1,64]'],
    ['another rank', { given: [2, 64] }, 'the state is given as [2,64]'],
    ['an unknown input', { modelInputs: [port('x', [1])] }, "the model has no input 'h'"],
    ['an unknown output', { modelOutputs: [port('y', [1])] }, "the model has no output 'hn'"],
    ['an output of another type', { modelOutputs: [port('hn', [2], 'int64')] }, 'the output is int64'],
    ['strings', { modelInputs: [port('h', [1], 'string')] }, 'strings cannot be carried'],
    [
      'the same input twice',
      {
        states: [
          { output: 'hn', input: 'h' },
          { output: 'y', input: 'h' },
        ],
      },
      "two states are fed to the input 'h'",
    ],
  ] as const)('refuse %s', (_, more, message) => {
    expect(start([2, 'batch', 64], more as Partial<StatefulModel>)).toMatchObject({
      kind: 'state-invalid',
      message: expect.stringContaining(message),
    });
  });
});

describe('pairedOutput', () => {
  it.each([
    ['state', 'stateN'],
    ['h0', 'hn'],
    ['h_in', 'h_out'],
    ['hidden', 'new_hidden'],
    ['past_key_values.0.key', 'past_key_values.0.key'],
    ['prevState', 'nextState'],
  ])('finds of %s that it comes back as %s', (input, output) => {
    const outputs = [port('y', [1, 5]), port('c_out', [2, 1, 4]), port(output, [2, 'n', 4])];
    expect(pairedOutput(port(input, [2, 'batch', 4]), outputs)?.name).toBe(output);
  });

  it.each([
    ['another name', port('carry', [2, 4])],
    ['another type', port('stateN', [2, 4], 'int64')],
    ['other dimensions', port('stateN', [2, 5])],
    ['another rank', port('stateN', [2, 4, 1])],
  ])('does not take an output of %s', (_, output) => {
    expect(pairedOutput(port('state', [2, 4]), [output])).toBeUndefined();
  });

  it('does not pair what is called nothing but input and output', () => {
    expect(pairedOutput(port('input', [1, 4]), [port('output', [1, 4])])).toBeUndefined();
  });
});
