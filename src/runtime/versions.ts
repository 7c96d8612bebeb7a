import { createRequire } from 'node:module';

/** Version of the onnxruntime-node package that is installed. */
export function onnxRuntimeVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('onnxruntime-node/package.json');
  return (manifest as { readonly version: string }).version;
}
