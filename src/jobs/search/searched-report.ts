import type { QuantizeReport } from '../quantize-task.ts';
import type { SearchResult } from './search-result.ts';

/** How the model of a variant was made; where its recipe was searched, with what was tried and measured. */
export interface SearchedReport extends QuantizeReport {
  readonly search?: Omit<SearchResult, 'quantization'>;
}
