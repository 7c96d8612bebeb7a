import { expect, it } from 'vitest';
import { withoutAbsent } from '../../../src/cli/without-absent.ts';

it('leaves out what is undefined, and nothing else', () => {
  const kept = withoutAbsent({ a: 1, b: undefined, c: null, d: 0, e: '' });
  expect(kept).toStrictEqual({ a: 1, c: null, d: 0, e: '' });
});
