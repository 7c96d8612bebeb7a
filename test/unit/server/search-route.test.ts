import { describe, expect, it } from 'vitest';
import type { ModelView } from '../../../src/jobs/model-view.ts';
import { searchRecipes } from '../../../src/jobs/search/search-recipes.ts';
import { fakeSearchDeps, fakeSearchRequest, fakeSearchWorkers } from '../../support/fake-search-workers.ts';
import { ask, serve } from '../../support/server.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const HASH = 'cd'.repeat(32);
const model: ModelView = {
  name: 'tiny',
  task: 'classification',
  variants: [
    { variant: 'fp32', bench: [], speedUps: [] },
    { variant: 'best', sizeBytes: 10, artifact: HASH, bench: [], speedUps: [] },
    { variant: 'int8', bench: [], speedUps: [] },
  ],
};

describe('the search of a variant', () => {
  it('is shown with all that it tried, as long as its artifact is there', async () => {
    const workers = fakeSearchWorkers(() => ({}));
    const request = fakeSearchRequest(temporaryFolder());
    const { quantization: _, ...search } = unwrap(await searchRecipes(request, fakeSearchDeps(workers)));
    const { app } = serve({
      listModels: () => [model],
      searchOf: (hash) => (hash === HASH ? search : undefined),
    });
    const links = (await ask(app, '/models/tiny'))
      .json()
      .variants.map((of: { search?: string }) => of.search);
    // Who reads the model learns where there is a search, and where there is none.
    expect(links).toEqual([undefined, '/models/tiny/variants/best/search', undefined]);
    const answer = await ask(app, links[1]);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({
      choice: { label: search.choice.label },
      candidates: expect.arrayContaining([expect.objectContaining({ isChosen: true, isOnFront: true })]),
    });
  });

  it.each([
    ['/models/huge/variants/best/search', 'no-such-model'],
    ['/models/tiny/variants/best/search', 'unknown-artifact'],
    ['/models/tiny/variants/int8/search', 'unknown-artifact'],
    ['/models/tiny/variants/none/search', 'unknown-artifact'],
  ])('is not found at %s', async (url, kind) => {
    const { app } = serve({ listModels: () => [model] });
    const answer = await ask(app, url);
    expect([answer.statusCode, answer.json().type]).toEqual([404, expect.stringContaining(kind)]);
  });
});
