import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type Type from 'typebox';
import { Check, Errors } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { SearchResultSchema, searchResultJsonSchema } from '../../../src/api/search-schema.ts';
import { searchRecipes } from '../../../src/jobs/search/search-recipes.ts';
import type { SearchResult } from '../../../src/jobs/search/search-result.ts';
import { fakeSearchDeps, fakeSearchRequest, fakeSearchWorkers } from '../../support/fake-search-workers.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const PUBLISHED = join(import.meta.dirname, '../../../profiles/search-result.schema.json');

describe('the published JSON Schema of searches', () => {
  it('is the one that the program goes by (UPDATE_GOLDEN=1 writes it)', () => {
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(PUBLISHED, searchResultJsonSchema);
    expect(readFileSync(PUBLISHED, 'utf8')).toBe(searchResultJsonSchema);
  });

  it('allows what a search writes, and nothing with another standing', async () => {
    const request = fakeSearchRequest(temporaryFolder());
    const workers = fakeSearchWorkers(({ format }) =>
      format === 'float16' ? { problem: { kind: 'worker-crashed', message: 'it died' } } : {},
    );
    const found = await searchRecipes(request, fakeSearchDeps(workers));
    const written: unknown = JSON.parse(readFileSync(join(request.stateFolder, 'result.json'), 'utf8'));
    expect([...Errors(SearchResultSchema, written)]).toEqual([]);
    if (!found.ok) throw new Error(found.error.message);
    // The compiler holds both against each other.
    const typed: Type.Static<typeof SearchResultSchema> = found.value satisfies SearchResult as never;
    expect(Check(SearchResultSchema, { ...typed, choice: { ...typed.choice, standing: 'good' } })).toBe(
      false,
    );
  });
});
