import { readFileSync } from 'node:fs';

/** The version in this package's package.json, which lies two folders above the compiled and the source file alike. */
export function agentVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return (manifest as { readonly version: string }).version;
}
