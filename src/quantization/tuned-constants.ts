/** What is to stand in place of an anchor's weights and bias rounded as they are; what is absent is rounded so. */
export interface TunedConstants {
  /** float32, one a channel, or one in all where the recipe is per tensor. */
  readonly weightScales?: Float32Array;
  /**
   * The code of every weight on the grid of `weightScales`, which must be there, too. Where a scale has to be raised to hold
   * the bias, the weights are rounded anew.
   */
  readonly weightCodes?: Int8Array;
  /** In place of the bias; Gemm's beta is multiplied in. An anchor without a bias gets none. */
  readonly bias?: Float32Array;
}
