import type { SearchResult } from '../../jobs/search/search-result.ts';
export function renderSearchPage(result: SearchResult): string {
  return result.model;
}
