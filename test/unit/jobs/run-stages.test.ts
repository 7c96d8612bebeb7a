import { describe, expect, it } from 'vitest';
import type { NamedTensors, Tensor } from '../../../src/core/tensor.ts';
import { runStages, type Stage } from '../../../src/jobs/run-stages.ts';

const number = (value: number): Tensor => ({ type: 'float32', dims: [], data: Float32Array.of(value) });
const valueIn = (tensors: NamedTensors, name: string) => Number(tensors[name]?.data[0]);

/** Adds up what it is fed, and notes by what names. */
function adder(inputs: readonly string[], output: string) {
  const fed: string[] = [];
  const stage: Stage = {
    inputs: inputs.map((name) => ({ name })),
    run: async (feeds) => {
      fed.push(Object.keys(feeds).sort().join());
      return { [output]: number(Object.keys(feeds).reduce((sum, name) => sum + valueIn(feeds, name), 0)) };
    },
  };
  return { stage, fed };
}

describe('runStages', () => {
  it('runs the last model once for each change, and those before it once', async () => {
    const first = adder(['a'], 'b');
    const last = adder(['b', 'c'], 'y');
    const results = await runStages([first.stage, last.stage], { a: number(1), c: number(10) }, [
      {},
      { c: number(20) },
      { c: number(30) },
    ]);
    expect(results.map((each) => valueIn(each, 'y'))).toEqual([11, 21, 31]);
    expect(first.fed).toEqual(['a']);
    expect(last.fed).toEqual(['b,c', 'b,c', 'b,c']);
  });

  it('feeds a model that is alone all there is, so that what is wrong is told', async () => {
    const only = adder(['a'], 'y');
    await runStages([only.stage], { a: number(1), unknown: number(2) }, [{}]);
    expect(only.fed).toEqual(['a,unknown']);
  });

  it('runs nothing where nothing is loaded', async () => {
    await expect(runStages([], {}, [{}])).rejects.toThrow('no model is loaded');
  });
});
