import { describe, expect, it } from 'vitest';
import { problem } from '../../../src/core/problem.ts';
import { err, ok } from '../../../src/core/result.ts';
import { readChosen } from '../../../src/jobs/read-chosen.ts';

const BAD = problem('data-invalid', 'a bad sample');

function source(skipsBadSamples: boolean) {
  const asked: number[] = [];
  const read = async (index: number) => {
    asked.push(index);
    return index === 7 ? err(BAD) : ok({ index, id: `${index}`, feeds: {} });
  };
  return { asked, read, skipsBadSamples };
}

async function indexes(from: ReturnType<typeof source>, positions: readonly number[]) {
  const found: number[] = [];
  for await (const { index } of readChosen(from, positions)) found.push(index);
  return found;
}

describe('readChosen', () => {
  it('reads what was chosen, in that order, and nothing else', async () => {
    const from = source(false);
    expect(await indexes(from, [5, 2, 9])).toEqual([5, 2, 9]);
    expect(from.asked).toEqual([5, 2, 9]);
    expect(await indexes(from, [])).toEqual([]);
  });

  it('reads one ahead', async () => {
    const from = source(false);
    for await (const { index } of readChosen(from, [1, 2, 3])) {
      if (index === 1) expect(from.asked).toEqual([1, 2]);
    }
  });

  it('skips a bad sample where the source does, and else tells', async () => {
    expect(await indexes(source(true), [6, 7, 8])).toEqual([6, 8]);
    await expect(indexes(source(false), [6, 7, 8])).rejects.toMatchObject({ problem: BAD });
  });
});
