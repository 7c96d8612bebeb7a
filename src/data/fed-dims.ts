import { isFreeDim, type ModelInput } from './sample-source.ts';

/**
 * Dimensions of one fed sample, or undefined when a row cannot feed the input. It gets a leading 1 where the model has one
 * axis more, and is fed as it is where the ranks are equal.
 * @param row dimensions of one item
 */
export function fedDims(
  row: readonly number[],
  modelDims: ModelInput['dims'],
): readonly number[] | undefined {
  // ONNX Runtime reports no dimensions both for a scalar and for an unknown rank; only the first can take a lone number.
  const unknownRank = modelDims === undefined || (modelDims.length === 0 && row.length > 0);
  if (unknownRank) return [1, ...row];
  const dims = modelDims.length === row.length + 1 ? [1, ...row] : row;
  if (dims.length !== modelDims.length) return undefined;
  const fits = modelDims.every((wanted, axis) => isFreeDim(wanted) || wanted === dims[axis]);
  return fits ? dims : undefined;
}

/** The dimensions of a model's input as people read them. */
export function formatDims(dims: ModelInput['dims']): string {
  return dims?.map((dim) => (isFreeDim(dim) ? `${dim}` || '?' : dim)).join(',') ?? 'unknown';
}
