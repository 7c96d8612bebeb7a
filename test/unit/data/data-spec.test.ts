import { describe, expect, it } from 'vitest';
import { DataSchema } from '../../../src/config/data-schema.ts';
import { DATA_FORMATS } from '../../../src/core/data-spec.ts';

describe('the formats of data', () => {
  it('are those that a profile can name', () => {
    expect(DataSchema.properties.format.enum).toEqual([...DATA_FORMATS]);
  });
});
