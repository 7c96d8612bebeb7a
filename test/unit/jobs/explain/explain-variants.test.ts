import { describe, expect, it } from 'vitest';
import { sensitivityIn } from '../../../../src/jobs/explain/explain-variants.ts';

const KNOWN = { artifact: 'a', run: 'r', samples: 1, simulatedSqnrDb: 30, nodes: [] };

describe('sensitivityIn', () => {
  it('finds what a result says of a variant', () => {
    const result = { variants: [{ variant: 'fp32' }, { variant: 'int8', sensitivity: KNOWN }] };
    expect(sensitivityIn(result, 'int8')).toEqual(KNOWN);
    expect(sensitivityIn(result, 'fp32')).toBeUndefined();
  });

  it('takes results of other versions, whatever their shape', () => {
    for (const result of [
      undefined,
      null,
      {},
      { variants: 3 },
      { variants: [null, { variant: 'int8', sensitivity: 3 }] },
    ]) {
      expect(sensitivityIn(result, 'int8')).toBeUndefined();
    }
  });
});
