/** In seconds or bytes, or as a share of what float32 has. */
export type Goal =
  | { readonly kind: 'absolute'; readonly value: number }
  | { readonly kind: 'relative'; readonly ratio: number };

/** What a model is to have besides its accuracy. */
export interface SearchGoals {
  readonly maxLatency?: Goal;
  readonly maxSize?: Goal;
}
