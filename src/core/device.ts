/** Where a model computes, in the names that ONNX Runtime has for its execution providers. */
export const DEVICES = ['cpu', 'webgpu', 'cuda', 'tensorrt'] as const;

export type Device = (typeof DEVICES)[number];
