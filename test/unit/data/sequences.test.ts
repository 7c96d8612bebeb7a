import { describe, expect, it } from 'vitest';
import { type OpenSamplesOptions, openSamples } from '../../../src/data/open-samples.ts';
import type { ModelInput, SampleRange, SampleSource } from '../../../src/data/sample-source.ts';
import { unwrap } from '../../support/unwrap.ts';
import { bytesOf, float32Npy, int64Npy, npy, npz, useTemporaryFiles } from './npz-writer.ts';

const write = await useTemporaryFiles();

const X: ModelInput = { name: 'x', type: 'float32', dims: ['batch', 1] };
const STATE: ModelInput = { name: 'state', type: 'float32', dims: ['batch', 2] };
const RECURRENT: OpenSamplesOptions = {
  split: 'eval',
  modelInputs: [X, STATE],
  modelOutputs: [{ ...STATE, name: 'stateN' }],
  states: [{ output: 'stateN', input: 'state' }],
};
const FIVE = float32Npy([5, 1], [1, 2, 3, 4, 5]);

async function open(arrays: Readonly<Record<string, Uint8Array>>, options: Partial<OpenSamplesOptions> = {}) {
  return openSamples({ path: await write(npz({ 'eval/x': FIVE, ...arrays })) }, { ...RECURRENT, ...options });
}

/** The samples that bring zeros for the state. */
async function starts(source: SampleSource, range?: SampleRange): Promise<number[]> {
  const found: number[] = [];
  for await (const { index, feeds } of source.samples(range))
    if (feeds['state'] !== undefined) found.push(index);
  await source.close();
  return found;
}

describe('the samples of a recurrent model', () => {
  it('need no array for the state, and bring zeros at the first sample alone', async () => {
    const source = unwrap(await open({}));
    expect(source.inputs.map(({ name }) => name)).toEqual(['x']);
    expect(unwrap(await source.read(0)).feeds['state']).toEqual({
      type: 'float32',
      dims: [1, 2],
      data: new Float32Array(2),
    });
    expect(await starts(source)).toEqual([0]);
  });

  it('start anew where the number of the sequence changes', async () => {
    expect(await starts(unwrap(await open({ 'eval/sequence': int64Npy([5], [7, 7, 2, 2, 7]) })))).toEqual([
      0, 2, 4,
    ]);
    expect(await starts(unwrap(await open({ 'eval/sequence': int64Npy([5, 1], [0, 1, 1, 1, 1]) })))).toEqual([
      0, 1,
    ]);
  });

  it('start anew where reading starts', async () => {
    const source = unwrap(await open({ 'eval/sequence': int64Npy([5], [0, 0, 0, 0, 1]) }));
    expect(await starts(source, { start: 2 })).toEqual([2, 4]);
  });

  it('have no zeros where no states are carried', async () => {
    const source = unwrap(
      await open({ 'eval/sequence': int64Npy([5], [0, 1, 2, 3, 4]) }, { states: [], modelInputs: [X] }),
    );
    expect(await starts(source)).toEqual([]);
  });

  it('read `sequence` as an input where the model has one of that name', async () => {
    const sequence: ModelInput = { name: 'sequence', type: 'int64', dims: ['batch'] };
    const source = unwrap(
      await open({ 'eval/sequence': int64Npy([5], [0, 1, 2, 3, 4]) }, { modelInputs: [X, STATE, sequence] }),
    );
    expect(await starts(source)).toEqual([0]);
  });

  it.each([
    ['are no integers', float32Npy([5], [0, 0, 1, 1, 1]), 'float32'],
    ['are too few', int64Npy([4], [0, 0, 1, 1]), '4 numbers for 5 samples'],
    ['are pairs', int64Npy([5, 2], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 'shape is [5,2]'],
  ])('are refused where the numbers of the sequences %s', async (_, array, message) => {
    expect(await open({ 'eval/sequence': array })).toMatchObject({
      ok: false,
      error: {
        kind: 'sequence-invalid',
        message: expect.stringContaining(message),
        place: { tensor: 'eval/sequence' },
      },
    });
  });

  it('are refused where the model has no such state', async () => {
    expect(await open({}, { states: [{ output: 'stateN', input: 'hidden' }] })).toMatchObject({
      ok: false,
      error: { kind: 'input-missing' },
    });
    expect(await open({}, { states: [{ output: 'other', input: 'state' }] })).toMatchObject({
      ok: false,
      error: { kind: 'state-invalid', hint: expect.stringContaining("'stateN'") },
    });
  });

  it('are refused where nothing but states would be fed', async () => {
    expect(await open({}, { modelInputs: [STATE] })).toMatchObject({
      ok: false,
      error: { kind: 'state-invalid' },
    });
  });

  it('are asked to be carried where an array is missing that looks like a state', async () => {
    expect(await open({}, { states: [] })).toMatchObject({
      ok: false,
      error: { kind: 'input-missing', hint: expect.stringContaining('--state stateN=state') },
    });
    const other = await open({}, { states: [], modelOutputs: [{ ...STATE, name: 'y' }] });
    expect(other).toMatchObject({ error: { hint: "save the array as 'eval/state'" } });
  });

  it('start anew at the next sample where the first one of a sequence is bad and left out', async () => {
    const path = await write(
      npz({
        'eval/x': npy('<f8', [6, 1], bytesOf(Float64Array.of(1, 2, 1e300, 1e300, 5, 6))),
        'eval/sequence': int64Npy([6], [0, 0, 1, 1, 1, 1]),
      }),
    );
    const source = unwrap(await openSamples({ path, onBadSample: 'skip' }, RECURRENT));
    expect(await starts(source)).toEqual([0, 4]);
  });

  it('go on behind a bad one in the middle of a sequence', async () => {
    const rows = npy('<f8', [4, 1], bytesOf(Float64Array.of(1, 1e300, 3, 4)));
    const source = unwrap(
      await openSamples({ path: await write(npz({ 'eval/x': rows })), onBadSample: 'skip' }, RECURRENT),
    );
    expect(await starts(source)).toEqual([0]);
  });

  it('start anew where steps pass over the first one of a sequence', async () => {
    const source = unwrap(await open({ 'eval/sequence': int64Npy([5], [0, 0, 1, 1, 1]) }));
    expect(await starts(source, { start: 1, step: 2 })).toEqual([1, 3]);
  });

  it('are refused where the data describes what the run before gives', async () => {
    const spec = { path: await write(npz({ 'eval/x': FIVE })), inputs: { state: { value: 0 } } };
    expect(await openSamples(spec, RECURRENT)).toMatchObject({
      ok: false,
      error: {
        kind: 'state-invalid',
        message: expect.stringContaining("'state'"),
        place: { tensor: 'state' },
      },
    });
  });
});
