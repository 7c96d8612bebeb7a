import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { profileJsonSchema } from '../../../src/config/profile-schema.ts';

const PUBLISHED = join(import.meta.dirname, '../../../profiles/profile.schema.json');

describe('the published JSON Schema of profiles', () => {
  it('is the one that profiles are checked against (UPDATE_GOLDEN=1 writes it)', () => {
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(PUBLISHED, profileJsonSchema);
    expect(readFileSync(PUBLISHED, 'utf8')).toBe(profileJsonSchema);
  });

  it('names its draft, describes every field and allows no unknown ones', () => {
    const check = (schema: Record<string, unknown>, path: string): void => {
      const properties = Object.entries(
        (schema['properties'] ?? {}) as Record<string, Record<string, unknown>>,
      );
      if (schema['type'] === 'object') expect(schema['additionalProperties'], path).toBe(false);
      for (const [name, property] of properties) check(property, `${path}/${name}`);
      if (schema['items'] !== undefined) check(schema['items'] as Record<string, unknown>, `${path}/*`);
      for (const branch of (schema['anyOf'] ?? []) as Record<string, unknown>[]) check(branch, path);
      if (
        properties.length === 0 &&
        path.includes('/') &&
        !path.endsWith('/*') &&
        schema['type'] !== 'boolean'
      ) {
        expect(schema['description'] ?? schema['enum'], path).toBeDefined();
      }
    };
    const schema = JSON.parse(profileJsonSchema) as Record<string, unknown>;
    expect(schema['$schema']).toBe('http://json-schema.org/draft-07/schema#');
    check(schema, '');
  });
});
