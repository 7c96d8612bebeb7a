import { describe, expect, it } from 'vitest';
import { resolveExplain } from '../../../src/config/explain-settings.ts';

describe('resolveExplain', () => {
  it('explains nothing unless it is asked to', () => {
    expect(resolveExplain(undefined)).toBeUndefined();
    expect(resolveExplain(false)).toBeUndefined();
  });

  it('has defaults for all that is not said', () => {
    expect(resolveExplain(true)).toEqual({ samples: 32, timeLimitSeconds: 120 });
    expect(resolveExplain({ samples: 8, timeLimit: '30s', top: 5 })).toEqual({
      samples: 8,
      timeLimitSeconds: 30,
      top: 5,
    });
  });
});
