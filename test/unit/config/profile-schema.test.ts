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
    const schema = JSON.parse(profileJsonSchema) as Schema;
    expect(schema['$schema']).toBe('http://json-schema.org/draft-07/schema#');
    check(schema, '');
  });
});

type Schema = Readonly<Record<string, unknown>>;
type Fields = Readonly<Record<string, Schema>>;

function check(schema: Schema, path: string): void {
  const properties = Object.entries((schema['properties'] ?? {}) as Fields);
  // Fields of any name, such as inputs of a model, are described by the pattern of their names.
  const named = schema['patternProperties'] as Fields | undefined;
  if (schema['type'] === 'object' && named === undefined)
    expect(schema['additionalProperties'], path).toBe(false);
  for (const value of Object.values(named ?? {})) check(value, `${path}/*`);
  for (const [name, property] of properties) check(property, `${path}/${name}`);
  if (schema['items'] !== undefined) check(schema['items'] as Schema, `${path}/*`);
  for (const branch of (schema['anyOf'] ?? []) as Schema[]) check(branch, path);
  if (properties.length === 0) checkField(schema, path);
}

function checkField(schema: Schema, path: string): void {
  if (!path.includes('/') || path.endsWith('/*') || schema['type'] === 'boolean') return;
  expect(schema['description'] ?? schema['enum'], path).toBeDefined();
}
