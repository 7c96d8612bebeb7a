/**
 * What the quantized model is made for: an execution provider of ONNX Runtime, or `portable`, where neither runtime nor
 * processor is known.
 */
export const TARGETS = ['cpu', 'cuda', 'tensorrt', 'webgpu', 'portable'] as const;

export type Target = (typeof TARGETS)[number];
